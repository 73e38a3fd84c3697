"""Writes pickles and joblib files that attack their reader. Nothing here is ever loaded by Python.

Each entry of index.json says what must happen. `must`: "refused at load" or "loads inert", where the pickle reader may
keep what it found as data, provided it never calls anything. `as_model`: "refused" or "serves", what comes of loading
the file as a model. No attack may leave /tmp/jackdaw-was-here behind.

Usage: make_hostile.py OUTPUT_DIRECTORY SCIKIT_LEARN_DIRECTORY
"""
import gzip
import io
import json
import os
import pickle
import struct
import sys
import zlib

PROTO2, PROTO4, STOP = b"\x80\x02", b"\x80\x04", b"."
REFUSED, INERT = "refused at load", "loads inert"
ENTRIES = []
OUT = sys.argv[1]


def emit(name, data, must, why, model="refused"):
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(data)
    note(name, must, why, model)


def note(name, must, why, model="refused"):
    ENTRIES.append({"file": name, "must": must, "as_model": model, "why": why})


# --- Pickle by hand --------------------------------------------------------------------------------------------------

def text(value):
    raw = value.encode("utf-8")
    return b"X" + struct.pack("<I", len(raw)) + raw


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def call(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


def integer(value):
    return b"J" + struct.pack("<i", value)


TOUCH = text("touch /tmp/jackdaw-was-here")


def calls():
    for module, name in (("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("builtins", "eval"),
                         ("builtins", "exec"), ("__builtin__", "eval"), ("webbrowser", "open"), ("runpy", "run_path")):
        emit("call_%s_%s.pkl" % (module.strip("_"), name), PROTO2 + call(glob(module, name), TOUCH) + STOP, INERT,
             "the whole model is a call of %s.%s" % (module, name))
    emit("call_protocol0.pkl", b"cos\nsystem\n(S'touch /tmp/jackdaw-was-here'\ntR.", INERT, "the textbook one, protocol 0")
    emit("call_stack_global.pkl", PROTO4 + text("posix") + text("system") + b"\x93" + TOUCH + b"\x85R" + STOP, INERT,
         "protocol 4 spelling of posix.system")
    getattr_call = call(glob("builtins", "getattr"), call(glob("builtins", "__import__"), text("os")), text("system"))
    emit("getattr_chain.pkl", PROTO2 + call(getattr_call, TOUCH) + STOP, REFUSED, "getattr(__import__('os'), 'system')(...): calls what a call gave")
    nested = glob("builtins", "getattr")
    for _ in range(200):
        nested = call(glob("builtins", "getattr"), nested, text("__class__"))
    emit("getattr_chain_deep.pkl", PROTO2 + nested + STOP, INERT, "200 nested getattr calls")
    emit("call_in_state.pkl", PROTO2 + glob("sklearn.preprocessing._data", "StandardScaler") + b")\x81}(" + text("mean_")
         + call(glob("os", "system"), TOUCH) + text("scale_") + call(glob("os", "system"), TOUCH) + b"ub" + STOP, INERT,
         "a known class whose mean_ is a call: inert as an object, refused as a model")
    emit("call_off_path.pkl", model_with_extra(call(glob("os", "system"), TOUCH)), INERT,
         "a sound scaler with an attribute nobody reads that is a call: must serve without making it", "serves")
    emit("setstate_global.pkl", PROTO2 + glob("os", "system") + TOUCH + b"b" + STOP, INERT, "BUILD on a global")
    emit("newobj_system.pkl", PROTO2 + glob("os", "system") + b"(" + TOUCH + b"t\x81" + STOP, INERT, "NEWOBJ of a function")
    emit("newobj_ex_system.pkl", PROTO4 + glob("os", "system") + b"(" + TOUCH + b"t}\x92" + STOP, INERT, "NEWOBJ_EX of a function")
    emit("copyreg_system.pkl", PROTO2 + call(glob("copyreg", "_reconstructor"), glob("os", "system"), glob("builtins", "object"), b"N") + STOP,
         INERT, "copyreg._reconstructor of os.system")
    emit("global_newline.pkl", b"cos\nsystem", REFUSED, "GLOBAL with no end")
    emit("lambda_function.pkl", PROTO2 + call(glob("cloudpickle.cloudpickle", "_make_function"), b"N") + STOP, INERT, "a cloudpickle function")


def scaler(state):
    return PROTO2 + glob("sklearn.preprocessing._data", "StandardScaler") + b")\x81}(" + state + b"ub" + STOP


def doubles(*values):
    """numpy array of float64 as protocol 2 writes it."""
    raw = struct.pack("<%dd" % len(values), *values)
    return array(b"(K" + bytes([len(values)]) + b"t", "f8", raw)


def dtype_of(code):
    return call(glob("numpy", "dtype"), text(code), b"K\x00", b"K\x01") + b"(K\x03" + text("<") + b"NNN" + integer(-1) + integer(-1) + b"K\x00tb"


def array(shape, code, raw):
    head = call(glob("numpy.core.multiarray", "_reconstruct"), glob("numpy", "ndarray"), b"K\x00\x85", b"C\x01b")
    return head + b"(K\x01" + shape + dtype_of(code) + b"\x89" + b"B" + struct.pack("<I", len(raw)) + raw + b"tb"


def model_with_extra(extra):
    return scaler(text("with_mean") + b"\x88" + text("with_std") + b"\x88" + text("n_features_in_") + b"K\x02" + text("mean_")
                  + doubles(1.0, 2.0) + text("scale_") + doubles(2.0, 4.0) + text("var_") + doubles(4.0, 16.0) + text("unread_") + extra)


# --- Streams that lie ------------------------------------------------------------------------------------------------

def opcodes():
    emit("inst.pkl", b"(S'touch /tmp/jackdaw-was-here'\nios\nsystem\n.", REFUSED, "INST opcode")
    emit("obj.pkl", b"(cos\nsystem\nS'touch /tmp/jackdaw-was-here'\no.", REFUSED, "OBJ opcode")
    emit("ext1.pkl", PROTO2 + b"\x82\x01" + STOP, REFUSED, "EXT1 opcode")
    emit("ext2.pkl", PROTO2 + b"\x83\x01\x00" + STOP, REFUSED, "EXT2 opcode")
    emit("ext4.pkl", PROTO2 + b"\x84\x01\x00\x00\x00" + STOP, REFUSED, "EXT4 opcode")
    emit("persid.pkl", b"Pfile:///etc/passwd\n.", REFUSED, "PERSID opcode")
    emit("binpersid.pkl", PROTO2 + text("storage") + b"Q" + STOP, REFUSED, "BINPERSID opcode")
    emit("next_buffer.pkl", b"\x80\x05\x97" + STOP, REFUSED, "NEXT_BUFFER: the bytes would be elsewhere")
    emit("unknown_opcode.pkl", PROTO2 + b"\xff" + STOP, REFUSED, "no such opcode")
    emit("protocol_99.pkl", b"\x80\x63N.", REFUSED, "a protocol from the future")
    emit("empty.pkl", b"", REFUSED, "no bytes")
    emit("only_stop.pkl", b".", REFUSED, "STOP on an empty stack")
    emit("no_stop.pkl", PROTO2 + b"N", REFUSED, "no STOP")
    emit("text_file.pkl", b"<html><body>404 Not Found</body></html>\n", REFUSED, "an error page saved as a model")
    emit("git_lfs_pointer.joblib", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n", REFUSED,
         "a Git LFS pointer in place of the file")
    emit("pop_empty.pkl", PROTO2 + b"0" + STOP, REFUSED, "POP on an empty stack")
    emit("mark_missing.pkl", PROTO2 + b"t" + STOP, REFUSED, "TUPLE without MARK")
    emit("marks_only.pkl", PROTO2 + b"(" * 100000, REFUSED, "100,000 marks")
    emit("append_to_none.pkl", PROTO2 + b"NNa" + STOP, REFUSED, "APPEND to something that is no list")
    emit("setitem_on_list.pkl", PROTO2 + b"]NNs" + STOP, REFUSED, "SETITEM on a list")
    emit("setitems_odd.pkl", PROTO2 + b"}(NNNu" + STOP, REFUSED, "SETITEMS with an odd number of entries")
    emit("memo_missing.pkl", PROTO2 + b"h\x07" + STOP, REFUSED, "BINGET of an unknown memo entry")
    emit("memo_far.pkl", PROTO2 + b"Nr\xff\xff\xff\xff" + STOP, REFUSED, "LONG_BINPUT 4294967295: a dense memo of 32 GiB")
    emit("memo_far_text.pkl", b"Np99999999999999999999\n.", REFUSED, "PUT beyond 64 bits")


def lengths():
    emit("length_binunicode.pkl", PROTO2 + b"X\xff\xff\xff\x7fabc" + STOP, REFUSED, "a 2 GiB string in 3 bytes")
    emit("length_binunicode8.pkl", PROTO4 + b"\x8d" + b"\xff" * 8 + b"abc" + STOP, REFUSED, "a 2^64-1 byte string")
    emit("length_binbytes8.pkl", PROTO4 + b"\x8e" + struct.pack("<Q", 1 << 62) + b"abc" + STOP, REFUSED, "4 EiB of bytes")
    emit("length_bytearray8.pkl", b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"abc" + STOP, REFUSED, "a 1 TiB bytearray")
    emit("length_binstring_negative.pkl", PROTO2 + b"T" + struct.pack("<i", -5) + b"abc" + STOP, REFUSED, "BINSTRING of -5 bytes")
    emit("length_long4.pkl", PROTO2 + b"\x8b\xff\xff\xff\x7f\x01" + STOP, REFUSED, "a 2 GiB integer")
    emit("length_long4_negative.pkl", PROTO2 + b"\x8b\xff\xff\xff\xff\x01" + STOP, REFUSED, "an integer of -1 bytes")
    emit("length_frame.pkl", PROTO4 + b"\x95" + b"\xff" * 8 + b"N", REFUSED, "a frame longer than the file, and no STOP")
    emit("length_utf8.pkl", PROTO2 + b"X\x02\x00\x00\x00\xc3\x28" + STOP, REFUSED, "a string that is not UTF-8")
    emit("shape_negative.pkl", scaler_mean(array(b"(" + integer(-4) + b"t", "f8", b"\0" * 32)), REFUSED, "an array with a negative dimension")
    emit("shape_too_long.pkl", scaler_mean(array(b"(" + integer(1000000) + b"t", "f8", b"\0" * 16)), REFUSED, "a million doubles in 16 bytes")
    wrap = b"(" + integer(2147483647) * 4 + b"t"
    emit("shape_overflow.pkl", scaler_mean(array(wrap, "f8", b"\0" * 16)), REFUSED, "a shape whose product overflows 64 bits")
    emit("shape_zero_times_huge.pkl", scaler_mean(array(b"(" + b"K\x00" + integer(2147483647) * 3 + b"t", "f8", b"")), REFUSED,
         "no elements, but dimensions whose product overflows")
    emit("dtype_unknown.pkl", scaler_mean(array(b"(K\x02t", "q99", b"\0" * 16)), REFUSED, "an array of unknown dtype")
    emit("dtype_complex.pkl", scaler_mean(array(b"(K\x01t", "c16", b"\0" * 16)), REFUSED, "complex numbers")
    emit("wrong_kind.pkl", scaler(text("with_mean") + b"\x88" + text("with_std") + b"\x88" + text("mean_") + text("hello") + text("scale_") + b"]"),
         REFUSED, "mean_ is a string")
    emit("uneven_arrays.pkl", scaler(text("with_mean") + b"\x88" + text("with_std") + b"\x88" + text("n_features_in_") + b"K\x02" + text("mean_")
                                     + doubles(1.0, 2.0, 3.0) + text("scale_") + doubles(2.0, 4.0)), REFUSED, "three means, two scales")


def scaler_mean(mean):
    return scaler(text("with_mean") + b"\x88" + text("with_std") + b"\x88" + text("n_features_in_") + b"K\x02" + text("mean_") + mean
                  + text("scale_") + doubles(2.0, 4.0))


# --- Memory and depth ------------------------------------------------------------------------------------------------

def growth():
    lists = PROTO2 + b"]" + b"q\x00"
    for level in range(1, 31):
        lists += b"](" + b"h" + bytes([level - 1]) + (b"h" + bytes([level - 1])) * 9 + b"e" + b"q" + bytes([level])
    emit("billion_lists.pkl", lists + STOP, INERT, "30 levels of lists of ten: 10^30 leaves when walked without a visited set")
    tuples = PROTO2 + text("lol") + b"q\x00"
    for level in range(1, 31):
        tuples += b"0(" + (b"h" + bytes([level - 1])) * 10 + b"t" + b"q" + bytes([level])
    emit("billion_tuples.pkl", tuples + STOP, INERT, "the same with tuples")
    emit("billion_shape.pkl", scaler_mean(tuples[len(PROTO2):]), REFUSED, "mean_ is the billion tuples")
    emit("dup_bomb.pkl", PROTO2 + b"N" + b"2" * 100000 + STOP, INERT, "100,000 DUPs")
    emit("deep_lists.pkl", PROTO2 + b"]" * 100000 + b"a" * 99999 + STOP, REFUSED, "lists nested 100,000 deep")
    emit("deep_tuples.pkl", PROTO2 + b"N" + b"\x85" * 100000 + STOP, REFUSED, "tuples nested 100,000 deep")
    emit("deep_state.pkl", PROTO2 + (glob("sklearn.pipeline", "Pipeline") + b")\x81}" + text("steps")) * 1500 + b"N" + b"sb" * 1500 + STOP, REFUSED,
         "1,500 pipelines inside each other")
    emit("cyclic_list.pkl", PROTO2 + b"]q\x00h\x00a" + STOP, INERT, "a list that holds itself")
    emit("cyclic_dict.pkl", PROTO2 + b"}q\x00" + text("a") + b"h\x00s" + STOP, INERT, "a dict that holds itself")
    emit("cyclic_pipeline.pkl", PROTO2 + glob("sklearn.pipeline", "Pipeline") + b")\x81q\x00}" + text("steps") + b"](" + text("again")
         + b"h\x00\x86" + b"es" + b"b" + STOP, REFUSED, "a pipeline whose only step is itself")
    cycle_forest = (PROTO2 + glob("sklearn.ensemble._forest", "RandomForestRegressor") + b")\x81q\x00}(" + text("n_outputs_") + b"K\x01"
                    + text("n_features_in_") + b"K\x02" + text("estimators_") + b"]h\x00a" + b"ub" + STOP)
    emit("cyclic_forest.pkl", cycle_forest, REFUSED, "a forest whose tree is the forest")


def compress(name, level_bytes, opener):
    buffer = io.BytesIO()
    with opener(buffer) as out:
        out.write(PROTO4 + b"\x8e" + struct.pack("<Q", level_bytes))
        block = b"\0" * (1 << 20)
        for _ in range(level_bytes >> 20):
            out.write(block)
        out.write(STOP)
    emit(name, buffer.getvalue(), REFUSED, "%d MiB of zeros behind a small compressed file" % (level_bytes >> 20))


class ZlibWriter:
    def __init__(self, out):
        self.out, self.worker = out, zlib.compressobj(9)

    def __enter__(self):
        return self

    def write(self, data):
        self.out.write(self.worker.compress(data))

    def __exit__(self, *_):
        self.out.write(self.worker.flush())


def bombs():
    import bz2
    import lzma
    compress("bomb_zlib.joblib", 90 << 20, ZlibWriter)
    compress("bomb_gzip.joblib", 90 << 20, lambda out: gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0))
    compress("bomb_bz2.joblib", 1024 << 20, lambda out: bz2.BZ2File(out, "wb"))
    compress("bomb_xz.joblib", 512 << 20, lambda out: lzma.LZMAFile(out, "wb", preset=1))
    inner = zlib.compress(b"\0" * (8 << 20), 9)
    emit("bomb_nested.joblib", zlib.compress(inner, 9), REFUSED, "zlib inside zlib")
    emit("zlib_truncated.joblib", zlib.compress(PROTO2 + b"]" * 2000 + STOP)[:-8], REFUSED, "a zlib stream without its end")
    emit("zlib_trailing.joblib", zlib.compress(PROTO2 + b"N" + STOP) + b"tail of other bytes", REFUSED, "None, then bytes after the zlib stream")
    emit("gzip_header_only.joblib", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", REFUSED, "only a gzip header")
    emit("lz4_header_only.joblib", b"\x04\x22\x4d\x18\x64\x40\xa7", REFUSED, "only an lz4 frame header")
    emit("lz4_bad_block.joblib", b"\x04\x22\x4d\x18\x64\x40\xa7" + struct.pack("<I", 1 << 20) + b"\xf0\xff\xff", REFUSED, "an lz4 block that lies about its size")
    emit("xz_corrupt.joblib", b"\xfd7zXZ\x00" + b"\xff" * 60, REFUSED, "an xz header and noise")
    emit("bz2_corrupt.joblib", b"BZh9" + b"\xff" * 60, REFUSED, "a bzip2 header and noise")
    emit("zfile_old.joblib", b"ZF0x1234             garbage", REFUSED, "the container of joblib before 0.9.3, broken")


# --- joblib's arrays -------------------------------------------------------------------------------------------------

def wrapper(shape, code, order="C", alignment=b"", after=b""):
    """NumpyArrayWrapper as a value; the raw bytes follow its BUILD."""
    state = b"}(" + text("subclass") + glob("numpy", "ndarray") + text("shape") + shape + text("order") + text(order)
    state += text("dtype") + dtype_of(code) + text("allow_mmap") + b"\x88" + alignment + b"u"
    return glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b" + after


def joblib_files():
    evil = PROTO2 + call(glob("builtins", "eval"), text("__import__('os').system('touch /tmp/jackdaw-was-here')")) + STOP
    emit("nested_eval.joblib", PROTO2 + wrapper(b"(K\x01t", "O8", after=evil) + STOP, REFUSED,
         "an object array: the nested pickle is a call of eval instead of an array")
    as_classes = (PROTO2 + glob("sklearn.linear_model._logistic", "LogisticRegression") + b")\x81}(" + text("classes_")
                  + wrapper(b"(K\x01t", "O8", after=evil) + text("coef_") + doubles(1.0) + text("intercept_") + doubles(0.0) + b"ub" + STOP)
    emit("nested_eval_classes.joblib", as_classes, REFUSED, "the same as classes_ of a classifier")
    short = wrapper(b"(" + integer(1000) + b"t", "f8", after=b"\0" * 80)
    emit("wrapper_truncated.joblib", PROTO2 + short, REFUSED, "1,000 doubles promised, ten there")
    emit("wrapper_overflow.joblib", PROTO2 + wrapper(b"(" + integer(2147483647) * 4 + b"t", "f8", after=b"\0" * 80) + STOP, REFUSED,
         "a shape that overflows")
    emit("wrapper_negative.joblib", PROTO2 + wrapper(b"(" + integer(-1) + b"t", "f8", after=b"\0" * 80) + STOP, REFUSED, "a negative shape")
    emit("wrapper_padding.joblib", PROTO2 + wrapper(b"(K\x01t", "f8", alignment=text("numpy_array_alignment_bytes") + b"K\x10", after=b"\xff\0") + STOP,
         REFUSED, "255 bytes of padding promised, none there")
    emit("wrapper_no_state.joblib", PROTO2 + glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}b" + STOP, REFUSED, "an array without a shape")
    emit("wrapper_side_file.joblib", PROTO2 + glob("joblib.numpy_pickle_compat", "NDArrayWrapper") + b")\x81}(" + text("filename")
         + text("../../etc/passwd") + text("subclass") + glob("numpy", "ndarray") + b"ub" + STOP, REFUSED,
         "the side files of joblib before 0.10, with a path outside")
    deep = PROTO2
    for _ in range(1500):
        deep += wrapper(b"(K\x01t", "O8", after=PROTO2)
    emit("nested_deep.joblib", deep, REFUSED, "1,500 pickles inside each other")


# --- Broken trees in otherwise sound models --------------------------------------------------------------------------

class FakeTree:
    """Pickles as sklearn.tree._tree.Tree with any arrays, which the real class would refuse."""

    def __init__(self, tree, nodes, values):
        import sklearn.tree._tree
        self.cls, (_, self.args, self.state) = sklearn.tree._tree.Tree, tree.__reduce__()
        self.state = dict(self.state, nodes=nodes, values=values, node_count=len(nodes))

    def __reduce__(self):
        return (self.cls, self.args, self.state)


def trees():
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier
    x = np.arange(40.0).reshape(20, 2)
    y = (np.arange(20) // 5) % 2
    fitted = DecisionTreeClassifier(random_state=0).fit(x, y)
    state = fitted.tree_.__getstate__()
    good_nodes, good_values = state["nodes"].copy(), state["values"].copy()

    def tree(name, why, change=None, nodes=None, values=None, must=REFUSED, model="refused"):
        n = (good_nodes if nodes is None else nodes).copy()
        if change:
            change(n)
        other = DecisionTreeClassifier()
        other.__dict__.update(fitted.__dict__)
        other.__dict__["tree_"] = FakeTree(fitted.tree_, n, good_values if values is None else values)
        emit("tree_%s.pkl" % name, pickle.dumps(other, protocol=4), must, why, model)

    def put(field, node, value):
        def change(nodes):
            nodes[field][node] = value
        return change

    count = len(good_nodes)
    inner = [i for i in range(count) if good_nodes["left_child"][i] >= 0]
    tree("sound", "the tree the others were made from; it must load and serve", must=INERT, model="serves")
    tree("self_child", "the root is its own left child", put("left_child", 0, 0))
    tree("cycle", "an inner node leads back to the root", put("right_child", inner[-1], 0))
    tree("shared_child", "two parents share a child", put("left_child", inner[-1], int(good_nodes["right_child"][inner[0]])))
    tree("child_out_of_range", "a child beyond the last node", put("left_child", 0, count))
    tree("child_huge", "child 2^62", put("right_child", 0, 1 << 62))
    tree("child_negative", "a child of -7 (only -1 means leaf)", put("right_child", 0, -7))
    tree("half_leaf", "a left child but no right one", put("right_child", 0, -1))
    tree("feature_out_of_range", "a feature the model does not have", put("feature", 0, 2))
    tree("feature_huge", "feature 2^40", put("feature", 0, 1 << 40))
    tree("feature_negative", "feature -5 at a split", put("feature", 0, -5))
    tree("no_nodes", "no nodes at all", nodes=good_nodes[:0], values=good_values[:0])
    tree("fewer_values", "fewer leaf values than nodes", values=good_values[:-1])
    tree("values_two_dims", "leaf values of another shape", values=good_values.reshape(len(good_nodes), -1))
    tree("plain_nodes", "nodes without fields", nodes=np.zeros(4))
    missing = good_nodes[[n for n in good_nodes.dtype.names if n != "right_child"]].copy()
    tree("nodes_without_right", "nodes that lack right_child", nodes=np.array(missing.tolist(), dtype=[(n, missing.dtype[n]) for n in missing.dtype.names]))
    depth = 20000
    chain = np.zeros(2 * depth + 1, good_nodes.dtype)
    chain["left_child"], chain["right_child"] = -1, -1
    chain["left_child"][0:2 * depth:2], chain["right_child"][0:2 * depth:2] = np.arange(1, 2 * depth, 2), np.arange(2, 2 * depth + 1, 2)
    chain["feature"][0:2 * depth:2] = 0
    import joblib
    deep = DecisionTreeClassifier()
    deep.__dict__.update(fitted.__dict__)
    deep.__dict__["tree_"] = FakeTree(fitted.tree_, chain, np.ones((2 * depth + 1, 1, 2)))
    path = os.path.join(OUT, "tree_deep.joblib")
    joblib.dump(deep, path, compress=("xz", 6))
    note("tree_deep.joblib", REFUSED, "a tree 20,000 deep")


def boosted():
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier
    x = np.column_stack([np.arange(40) % 5, np.arange(40.0)])
    y = (np.arange(40) % 5 % 2).astype(int)
    model = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=2, categorical_features=[0], random_state=0).fit(x, y)
    predictor = model._predictors[0][0]
    good = predictor.nodes.copy()

    def case(name, field, node, value, why, **others):
        predictor.nodes = good.copy()
        predictor.nodes[field][node] = value
        for other, other_value in others.items():
            predictor.nodes[other][node] = other_value
        emit("hist_%s.pkl" % name, pickle.dumps(model, protocol=4), REFUSED, why)
        predictor.nodes = good

    case("cycle", "left", 0, 0, "the root leads to itself")
    case("child_out_of_range", "right", 0, 1 << 30, "a child beyond the last node")
    case("feature_out_of_range", "feature_idx", 0, 77, "a feature the model does not have")
    case("bitset_out_of_range", "bitset_idx", 0, 1000, "a category set that is not there", is_categorical=1, feature_idx=0)


def truncations(folder):
    with open(os.path.join(folder, "enc_logreg_pickle4.pkl"), "rb") as file:
        whole = file.read()
    for part in (1, 2, 11, len(whole) // 4, len(whole) // 2, len(whole) - 1):
        emit("truncated_%d.pkl" % part, whole[:part], REFUSED, "a sound model cut after %d bytes" % part)
    with open(os.path.join(folder, "enc_logreg_joblib_none.joblib"), "rb") as file:
        whole = file.read()
    for part in (len(whole) // 3, len(whole) // 2, len(whole) - 3):
        emit("truncated_%d.joblib" % part, whole[:part], REFUSED, "a sound joblib file cut after %d bytes" % part)


def not_models():
    emit("none.pkl", pickle.dumps(None, 4), REFUSED, "None is no model")
    emit("a_dict.pkl", pickle.dumps({"weights": [1, 2, 3]}, 4), REFUSED, "a dict is no model")
    emit("user_class.pkl", PROTO2 + glob("__main__", "MyModel") + b")\x81}" + text("w") + doubles(1.0) + b"sb" + STOP, REFUSED,
         "a class of the user's own: name it and say what to do")
    emit("user_step.pkl", PROTO2 + glob("sklearn.pipeline", "Pipeline") + b")\x81}(" + text("steps") + b"](" + text("mine") + glob("__main__", "MyStep")
         + b")\x81\x86" + b"e" + text("memory") + b"N" + text("verbose") + b"\x89" + b"ub" + STOP, REFUSED, "a user's class as a step: name the step")
    emit("unfitted.pkl", PROTO2 + glob("sklearn.preprocessing._data", "StandardScaler") + b")\x81}(" + text("with_mean") + b"\x88" + text("with_std")
         + b"\x88ub" + STOP, REFUSED, "a scaler that was never fitted")


def main():
    os.makedirs(OUT, exist_ok=True)
    for old in os.listdir(OUT):
        if old.endswith((".pkl", ".joblib")) or old == "index.json":
            os.remove(os.path.join(OUT, old))
    for part in (calls, opcodes, lengths, growth, bombs, joblib_files, trees, boosted, not_models):
        part()
    truncations(sys.argv[2])
    with open(os.path.join(OUT, "index.json"), "w", encoding="utf-8") as out:
        out.write('{"files": [\n' + ",\n".join(json.dumps(entry) for entry in ENTRIES) + "\n]}\n")
    print("  %d hostile files" % len(ENTRIES))


if __name__ == "__main__":
    main()
