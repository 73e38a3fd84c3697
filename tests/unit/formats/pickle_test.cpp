// The pickle VM on pickles written by hand: what it builds, and what it refuses with which words.
#include <filesystem>

#include "src/formats/object_graph_impl.h"
#include "tests/unit/formats/pickle_support.h"

namespace jackdaw::formats {
namespace {

// cposix\nsystem\n(X..touch FILE..tR.
std::string system_call(const std::string& command) {
  return "cposix\nsystem\n(X" + little_endian(command.size(), 4) + command + "tR.";
}

TEST_CASE("NeverCallsReduce") {
  const auto marker = std::filesystem::temp_directory_path() / "jackdaw_pickle_test_was_executed";
  std::filesystem::remove(marker);
  const ObjectGraph graph = read_pickle(system_call("touch " + marker.string()));
  CHECK_FALSE(std::filesystem::exists(marker));
  REQUIRE(graph.kind(graph.root()) == NodeKind::object);
  CHECK(graph.class_name(graph.root()) == "posix.system");
  const auto args = graph.items(graph.object(graph.root()).args);
  REQUIRE(args.size() == 1);
  CHECK(graph.text(args[0]) == "touch " + marker.string());
}

TEST_CASE("NeverCallsWhatBuildOrNewobjName") {
  const ObjectGraph graph =
      read_pickle(bytes_of("\x80\x02"
                           "cbuiltins\neval\n)\x81}X\x01\x00\x00\x00"
                           "aK\x01sb."));
  CHECK(graph.class_name(graph.root()) == "builtins.eval");
  CHECK(graph.integer(graph.attribute(graph.root(), "a")) == 1);
}

TEST_CASE("BuildOnANameChangesNothing") {
  const ObjectGraph graph =
      read_pickle(bytes_of("\x80\x02"
                           "csklearn.svm\nSVC\n}U\x07predictK\x01sb."));
  CHECK(graph.kind(graph.root()) == NodeKind::global);
  CHECK(graph.attribute(graph.root(), "predict") == no_node);
}

TEST_CASE("KeepsConstructorsOfDataInertUnlessTheirArgumentsFit") {
  // _codecs.encode with another codec, set() of something that is no list: still plain objects.
  const ObjectGraph rot13 = read_pickle(bytes_of("c_codecs\nencode\n(Vabc\nVrot13\ntR."));
  CHECK(rot13.class_name(rot13.root()) == "_codecs.encode");
  const ObjectGraph set = read_pickle(bytes_of("cbuiltins\nset\n(K\x01tR."));
  CHECK(set.class_name(set.root()) == "builtins.set");
}

TEST_CASE("RefusesPersistentIds") {
  const Error text = refusal("Pstorage\n.");
  CHECK(text.code == Code::unsupported);
  CHECK(mentions(text, "PERSID"));
  const Error binary =
      refusal(bytes_of("\x80\x02X\x01\x00\x00\x00"
                       "aQ."));
  CHECK(mentions(binary, "BINPERSID"));
  CHECK(binary.where == "offset 8");
}

TEST_CASE("RefusesInstObjAndExtensionOpcodesByNameAndOffset") {
  const std::pair<std::string, std::string> cases[] = {{"(ios\nsystem\n.", "INST"},
                                                       {"(cos\nsystem\no.", "OBJ"},
                                                       {bytes_of("\x80\x02\x82\x01."), "EXT1"},
                                                       {bytes_of("\x80\x02\x83\x01\x00."), "EXT2"},
                                                       {bytes_of("\x80\x02\x84\x01\x00\x00\x00."), "EXT4"},
                                                       {bytes_of("\x80\x05\x97."), "NEXT_BUFFER"}};
  for (const auto& [pickle, name] : cases) {
    const Error error = refusal(pickle);
    INFO(error.text());
    CHECK(error.code == Code::unsupported);
    CHECK(mentions(error, name));
    CHECK(error.where.starts_with("offset "));
  }
}

TEST_CASE("RefusesUnknownOpcodeAndProtocol") {
  CHECK(refusal(bytes_of("\x80\x04\xff.")).where == "offset 2");
  CHECK(mentions(refusal(bytes_of("\x80\x06N.")), "protocol 6"));
  CHECK(mentions(refusal("<html>"), "not a pickle"));
}

TEST_CASE("RefusesEmptyAndTruncatedFiles") {
  CHECK(mentions(refusal(""), "empty"));
  const std::vector<std::byte> whole = read_test_file("formats/values.protocol5.pkl");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto graph = read_object_graph({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    INFO("cut to " << length);
    REQUIRE_FALSE(graph.has_value());
    CHECK(graph.error().code == Code::parse_error);
  }
}

TEST_CASE("RefusesLengthsBeyondTheFileBeforeAllocating") {
  const std::string cases[] = {
      bytes_of("\x80\x03"
               "B\xff\xff\xff\xff"
               "abc."),  // BINBYTES of 4 GiB
      bytes_of("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
               "abc."),  // BINBYTES8 of 2^64 - 1
      bytes_of("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"
               "abc."),  // BINUNICODE8 of 2^63 - 1
      bytes_of("\x80\x05\x96\x00\x00\x00\x00\x00\x00\x00\x40"
               "abc."),  // BYTEARRAY8
      bytes_of("X\xf0\xff\xff\xff"
               "abc."),
      bytes_of("T\xff\xff\xff\x7f"
               "abc."),  // BINUNICODE, BINSTRING
      bytes_of("\x80\x02\x8b\xff\xff\xff\x7f"
               "abc."),  // LONG4
  };
  for (const std::string& pickle : cases) {
    const Error error = refusal(pickle);
    INFO(error.text());
    CHECK(error.code == Code::parse_error);
    CHECK(mentions(error, "left"));
  }
}

TEST_CASE("RefusesNegativeLengths") {
  CHECK(mentions(refusal(bytes_of("\x80\x02\x8b\xff\xff\xff\xff.")), "negative"));
  CHECK(mentions(refusal(bytes_of("T\xff\xff\xff\xff"
                                  "abc.")),
                 "negative"));
}

TEST_CASE("RefusesFrameLongerThanTheFile") {
  CHECK(mentions(refusal(bytes_of("\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.")), "FRAME"));
  // A length that is in range but wrong is ignored, as joblib's files need.
  const ObjectGraph graph = read_pickle(bytes_of("\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00N."));
  CHECK(graph.kind(graph.root()) == NodeKind::none);
}

TEST_CASE("RefusesMemoIndexBeyondTheBytesRead") {
  // LONG_BINPUT 0xfffffff0 would ask for 16 GiB of memo.
  CHECK(mentions(refusal(bytes_of("Nr\xf0\xff\xff\xff.")), "memo index"));
  CHECK(mentions(refusal("Np99999999999\n."), "memo index"));
  CHECK(mentions(refusal(bytes_of("h\x05.")), "memo entry 5"));
  CHECK(mentions(refusal("gx\n."), "not a number"));
}

TEST_CASE("RefusesStackUnderflowAndItemsBelowAMark") {
  const std::string cases[] = {".", "R.", "0.", "N(.", "t.", "N(a.", "(s.", "b.", "2.", "\x81.", "1.", "u.", "](e(a."};
  for (const std::string& pickle : cases) {
    INFO(pickle);
    CHECK(refusal(pickle).code == Code::parse_error);
  }
}

TEST_CASE("RefusesStackDeeperThanTheLimit") {
  ReadLimits limits;
  limits.stack_max = 1000;
  const Error error = refusal(std::string(2000, 'N') + ".", limits);
  CHECK(error.code == Code::too_large);
  CHECK(refusal(std::string(1'000'001, 'N') + ".").code == Code::too_large);
}

TEST_CASE("RefusesMoreObjectsThanTheLimit") {
  ReadLimits limits;
  limits.nodes_max = 100;
  CHECK(refusal("(" + std::string(200, ']') + "t.", limits).code == Code::too_large);
}

TEST_CASE("RefusesMarksNestedTooDeep") {
  CHECK(refusal(std::string(100'000, '(') + std::string(100'000, 't') + ".").code == Code::too_large);
}

TEST_CASE("ReadsListsNestedAHundredThousandDeepWithoutRecursion") {
  const ObjectGraph graph = read_pickle(std::string(100'000, ']') + std::string(99'999, 'a') + ".");
  NodeId node = graph.root();
  std::size_t depth = 1;
  while (!graph.items(node).empty()) {
    node = graph.items(node)[0];
    ++depth;
  }
  CHECK(depth == 100'000);
}

TEST_CASE("SharedListSeesLaterAppends") {
  // l = []; t = (l, l); l.append(6); l += [7, 8]
  const ObjectGraph graph =
      read_pickle(bytes_of("]q\x00h\x00\x86q\x01"
                           "0h\x00K\x06"
                           "a(K\x07K\x08"
                           "e0h\x01."));
  const auto pair = graph.items(graph.root());
  REQUIRE(pair.size() == 2);
  CHECK(pair[0] == pair[1]);
  REQUIRE(graph.items(pair[0]).size() == 3);
  CHECK(graph.integer(graph.items(pair[0])[2]) == 8);
}

TEST_CASE("SharedDictAndObjectSeeLaterItems") {
  // d = {}; o = C(); t = (d, o); d[1] = 2; o[3] = 4; o.state = {'k': 5}
  const ObjectGraph graph = read_pickle(
      bytes_of("\x80\x02}q\x00"
               "cmod\nC\n)\x81q\x01\x86q\x02h\x00K\x01K\x02s0h\x01K\x03K\x04s}X\x01\x00\x00\x00kK\x05sb0h\x02."));
  const auto pair = graph.items(graph.root());
  REQUIRE(pair.size() == 2);
  CHECK(graph.items(pair[0]).size() == 2);
  CHECK(graph.object(pair[1]).set_items.size() == 2);
  CHECK(graph.integer(graph.attribute(pair[1], "k")) == 5);
}

TEST_CASE("ReadsListThatContainsItself") {
  const ObjectGraph graph =
      read_pickle(bytes_of("]q\x00h\x00"
                           "a."));
  REQUIRE(graph.items(graph.root()).size() == 1);
  CHECK(graph.items(graph.root())[0] == graph.root());
}

TEST_CASE("KeepsManyInterleavedListsApart") {
  // Two memoised lists that grow in turns: each relocation must keep what was there.
  std::string pickle = bytes_of(
      "]q\x00]q\x01"
      "00");
  for (int i = 0; i < 100; ++i) {
    pickle += bytes_of("h\x00(K") + static_cast<char>(i) +
              bytes_of(
                  "K\x00"
                  "e0h\x01K") +
              static_cast<char>(100 + i) + "a0";
  }
  const ObjectGraph graph = read_pickle(pickle + bytes_of("h\x00h\x01\x86."));
  const auto pair = graph.items(graph.root());
  REQUIRE(graph.items(pair[0]).size() == 200);
  REQUIRE(graph.items(pair[1]).size() == 100);
  for (int i = 0; i < 100; ++i) {
    CHECK(graph.integer(graph.items(pair[0])[static_cast<std::size_t>(2 * i)]) == i);
    CHECK(graph.integer(graph.items(pair[1])[static_cast<std::size_t>(i)]) == 100 + i);
  }
}

TEST_CASE("MemoryStaysProportionalWhenAMemoisedTextIsEncodedAgainAndAgain") {
  // 100 kB of text, encoded 20,000 times over by a few bytes each: 2 GB if each time made a copy.
  std::string pickle = bytes_of("c_codecs\nencode\nq\x00(X") + little_endian(100'000, 4) + std::string(100'000, 'x') +
                       bytes_of(
                           "X\x06\x00\x00\x00latin1tq\x01"
                           "00");
  for (int i = 0; i < 20'000; ++i) pickle += bytes_of("h\x00h\x01R0");
  const ObjectGraph graph = read_pickle(pickle + bytes_of("h\x00h\x01R."));
  CHECK(graph.impl().decoded.size() == 1);
  CHECK(graph.bytes(graph.root()).size() == 100'000);
}

TEST_CASE("RefusesGrowingASetThatSharesAList") {
  CHECK(mentions(refusal(bytes_of("\x80\x04"
                                  "cbuiltins\nset\n(]K\x01"
                                  "atR(K\x02\x90.")),
                 "cannot grow"));
}

TEST_CASE("ReadsTextOpcodesOfProtocol0") {
  const ObjectGraph graph = read_pickle(
      bytes_of("(I7\nI01\nI-3\nL12345678901234567890L\nF1.5e3\nS'a\\x41\\n\\''\nS\"b\"\nVsn\\u00f6\\U0001f600\nNt."));
  const auto items = graph.items(graph.root());
  REQUIRE(items.size() == 9);
  CHECK(graph.integer(items[0]) == 7);
  CHECK(graph.boolean(items[1]));
  CHECK(graph.integer(items[2]) == -3);
  CHECK(*to_number(graph, items[3]) == 12345678901234567890.0);
  CHECK(graph.real(items[4]) == 1500.0);
  CHECK(graph.text(items[5]) == "aA\n'");
  CHECK(graph.text(items[6]) == "b");
  CHECK(graph.text(items[7]) == "sn\u00f6\U0001f600");
}

TEST_CASE("JoinsSurrogatePairsAndRefusesLoneOnes") {
  const ObjectGraph graph = read_pickle("V\\ud83d\\ude00\n.");
  CHECK(graph.text(graph.root()) == "\U0001f600");
  CHECK(mentions(refusal("V\\ud83d\n."), "escape"));
}

TEST_CASE("RefusesMalformedTextLiterals") {
  for (const char* pickle : {"Ix\n.", "F\n.", "F1.5x\n.", "Sabc\n.", "S'a\\x4'\n.", "L--5L\n.", "I5", "Vabc"}) {
    INFO(pickle);
    CHECK(refusal(pickle).code == Code::parse_error);
  }
  CHECK(refusal("L" + std::string(5000, '9') + "L\n.").code == Code::too_large);
}

TEST_CASE("RefusesTextThatIsNotUtf8") {
  CHECK(mentions(refusal(bytes_of("X\x02\x00\x00\x00\xff\xfe.")), "UTF-8"));
  CHECK(mentions(refusal(bytes_of("\x80\x04\x8c\x01\xc3.")), "UTF-8"));
}

TEST_CASE("ReadsPython2StringsAsTextWhenAsciiElseBytes") {
  const ObjectGraph graph =
      read_pickle(bytes_of("\x80\x02U\x03"
                           "abcU\x01\xff\x86."));
  const auto pair = graph.items(graph.root());
  CHECK(graph.text(pair[0]) == "abc");
  CHECK(graph.kind(pair[1]) == NodeKind::bytes);
}

TEST_CASE("ReadsIntegersOfEveryWidth") {
  const ObjectGraph graph =
      read_pickle(bytes_of("\x80\x02(K\xffM\xff\xffJ\xff\xff\xff\xff\x8a\x00\x8a\x01\x80"
                           "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00"
                           "\x8a\x0a\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00t."));
  const auto items = graph.items(graph.root());
  const std::int64_t expected[] = {255, 65535, -1, 0, -128, 0x7fffffffffffffff};
  for (std::size_t i = 0; i < 6; ++i) CHECK(graph.integer(items[i]) == expected[i]);
  CHECK(graph.kind(items[6]) == NodeKind::big_integer);
  CHECK(*to_number(graph, items[6]) == 0x1p64);
  CHECK(graph.integer(items[7]) == 1);
}

TEST_CASE("NamesTheClassBehindReconstructorAndNewObj") {
  const std::pair<std::string, std::string> cases[] = {
      {"ccopy_reg\n_reconstructor\n(csklearn.svm.classes\nSVC\nc__builtin__\nobject\nNtR.", "sklearn.svm.classes.SVC"},
      {"csklearn.neighbors._kd_tree\nnewObj\n(csklearn.neighbors._kd_tree\nKDTree\ntR.",
       "sklearn.neighbors._kd_tree.KDTree"},
      {"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.", "numpy.ndarray"},
      {"csklearn._loss._loss\n__pyx_unpickle_CyHalfBinomialLoss\n(csklearn._loss._loss\nCyHalfBinomialLoss\nI1\nNtR.",
       "sklearn._loss._loss.CyHalfBinomialLoss"}};
  for (const auto& [pickle, name] : cases) {
    const ObjectGraph graph = read_pickle(pickle);
    CHECK(graph.class_name(graph.root()) == name);
  }
}

TEST_CASE("AttributeFindsTheLastOfEqualKeysAndLooksIntoSlotsAndItems") {
  const ObjectGraph twice = read_pickle("(dS'a'\nI1\nsS'a'\nI2\ns.");
  CHECK(twice.integer(twice.attribute(twice.root(), "a")) == 2);
  CHECK(twice.attribute(twice.root(), "b") == no_node);
  const ObjectGraph slots =
      read_pickle(bytes_of("\x80\x02"
                           "cm\nC\n)\x81}U\x01"
                           "aK\x01s}U\x01"
                           "bK\x02s\x86"
                           "b."));
  CHECK(slots.integer(slots.attribute(slots.root(), "a")) == 1);
  CHECK(slots.integer(slots.attribute(slots.root(), "b")) == 2);
  const ObjectGraph bunch =
      read_pickle(bytes_of("\x80\x02"
                           "csklearn.utils\nBunch\n)\x81(U\x01"
                           "aK\x01U\x01"
                           "bK\x02u."));
  CHECK(bunch.integer(bunch.attribute(bunch.root(), "b")) == 2);
}

TEST_CASE("IgnoresBytesAfterStopUpToALimit") {
  const ObjectGraph graph = read_pickle(bytes_of("K\x05.") + "second pickle or garbage");
  CHECK(graph.integer(graph.root()) == 5);
  CHECK(graph.impl().info.trailing_bytes == 24);
  CHECK(refusal(bytes_of("K\x05.") + std::string((64u << 20) + 1, 'x')).code == Code::too_large);
}

TEST_CASE("RefusesWrongTypesForOpcodes") {
  const std::pair<std::string, std::string> cases[] = {{bytes_of("NK\x01"
                                                                 "a."),
                                                        "APPEND on a None"},
                                                       {bytes_of("]K\x01K\x02s."), "SETITEM on a list"},
                                                       {bytes_of("]}b."), "BUILD on a list"},
                                                       {bytes_of("NNR."), "not a tuple"},
                                                       {bytes_of("}(Nu."), "no value"},
                                                       {bytes_of("\x80\x04NN\x93."), "two strings"},
                                                       {bytes_of("(Nd."), "no value"},
                                                       {bytes_of("\x80\x04](N\x90."), "ADDITEMS on a list"}};
  for (const auto& [pickle, words] : cases) {
    const Error error = refusal(pickle);
    INFO(error.text());
    CHECK(mentions(error, words));
  }
}

TEST_CASE("ErrorsSayTheOffsetInTheStream") {
  CHECK(refusal(bytes_of("\x80\x04K\x01K\x02R.")).where == "offset 6");
}

}  // namespace
}  // namespace jackdaw::formats
