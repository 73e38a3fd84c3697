#include "src/formats/inspect_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace jackdaw::formats {

namespace {

// First parts of module names whose functions run commands, evaluate code, load more pickles, or reach into others.
constexpr std::array<std::string_view, 62> dangerous_packages{"os",
                                                              "posix",
                                                              "nt",
                                                              "posixpath",
                                                              "ntpath",
                                                              "subprocess",
                                                              "_posixsubprocess",
                                                              "sys",
                                                              "shutil",
                                                              "socket",
                                                              "_socket",
                                                              "ssl",
                                                              "importlib",
                                                              "_frozen_importlib",
                                                              "imp",
                                                              "runpy",
                                                              "pkgutil",
                                                              "zipimport",
                                                              "pty",
                                                              "commands",
                                                              "popen2",
                                                              "ctypes",
                                                              "_ctypes",
                                                              "cffi",
                                                              "pickle",
                                                              "_pickle",
                                                              "cPickle",
                                                              "dill",
                                                              "cloudpickle",
                                                              "marshal",
                                                              "shelve",
                                                              "code",
                                                              "codeop",
                                                              "webbrowser",
                                                              "timeit",
                                                              "cProfile",
                                                              "profile",
                                                              "pdb",
                                                              "bdb",
                                                              "trace",
                                                              "doctest",
                                                              "asyncio",
                                                              "multiprocessing",
                                                              "threading",
                                                              "_thread",
                                                              "signal",
                                                              "gc",
                                                              "inspect",
                                                              "types",
                                                              "operator",
                                                              "_operator",
                                                              "tempfile",
                                                              "pathlib",
                                                              "io",
                                                              "_io",
                                                              "urllib",
                                                              "http",
                                                              "requests",
                                                              "httplib",
                                                              "pip",
                                                              "ensurepip",
                                                              "venv"};
// The only names of Python's own builtins that are data.
constexpr std::array<std::string_view, 18> data_builtins{
    "object",  "set",  "frozenset", "bytearray", "bytes", "complex", "int",   "float",  "str",
    "unicode", "bool", "list",      "dict",      "tuple", "slice",   "range", "xrange", "long"};
constexpr std::array<std::string_view, 5> class_packages{"numpy", "scipy", "sklearn", "joblib", "collections"};
// Parts of those packages that run commands or load other files.
constexpr std::array<std::string_view, 10> inner_risks{
    "numpy.testing", "numpy.f2py",       "numpy.distutils",   "numpy.ctypeslib", "scipy.io",
    "scipy.weave",   "joblib.externals", "sklearn.externals", "joblib.memory",   "joblib.parallel"};
// Functions that only put data together; everything else in lower case is a call into a library.
constexpr std::array<std::string_view, 12> data_functions{
    "_reconstruct",   "scalar",         "_frombuffer", "newObj",        "ndarray",     "dtype",
    "_mareconstruct", "_reconstructor", "__newobj__",  "__newobj_ex__", "defaultdict", "deque"};
constexpr std::array<std::string_view, 10> dangerous_functions{
    "system", "popen", "exec", "eval", "execfile", "runstring", "rundocs", "__import__", "load", "import_module"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view first_part(std::string_view dotted) {
  return dotted.substr(0, dotted.find('.'));
}
std::string_view last_part(std::string_view dotted) {
  const std::size_t dot = dotted.rfind('.');
  return dot == std::string_view::npos ? dotted : dotted.substr(dot + 1);
}

bool below(std::string_view module, std::string_view package) {
  return module == package || (module.starts_with(package) && module[package.size()] == '.');
}

// A dotted name walks through attributes: "utils.os.system" inside scikit-learn is os.system.
bool walks_into_danger(std::string_view dotted) {
  while (!dotted.empty()) {
    const std::string_view part = first_part(dotted);
    if (contains(dangerous_packages, part) || contains(dangerous_functions, part) || part.starts_with("__"))
      return true;
    dotted.remove_prefix(std::min(dotted.size(), part.size() + 1));
  }
  return false;
}

bool is_data_function(std::string_view name) {
  return contains(data_functions, name) || name.starts_with("__pyx_unpickle_") || name.ends_with("_ctor");
}

// Classes start with a capital letter, after underscores.
bool is_class_like(std::string_view name) {
  const std::size_t at = name.find_first_not_of('_');
  return at != std::string_view::npos && std::isupper(static_cast<unsigned char>(name[at])) != 0;
}

NameRisk library_risk(std::string_view module, std::string_view name, bool called) {
  if (below(module, "sklearn.externals.joblib.numpy_pickle") && is_class_like(name)) return NameRisk::known;
  for (const std::string_view risk : inner_risks) {
    if (below(module, risk)) return NameRisk::dangerous;
  }
  if (contains(dangerous_functions, name)) return NameRisk::dangerous;
  if (!called || is_class_like(name) || is_data_function(name)) return NameRisk::known;
  return NameRisk::unknown;
}

}  // namespace

NameRisk name_risk(std::string_view module, std::string_view name, bool called) {
  if (name.find('.') != std::string_view::npos && walks_into_danger(name)) return NameRisk::dangerous;
  const std::string_view package = first_part(module);
  if (package == "builtins" || package == "__builtin__") {
    return contains(data_builtins, name) ? NameRisk::known : NameRisk::dangerous;
  }
  if (contains(dangerous_packages, package)) return NameRisk::dangerous;
  if (module == "copyreg" || module == "copy_reg")
    return is_data_function(name) ? NameRisk::known : NameRisk::dangerous;
  if (module == "_codecs") return name == "encode" ? NameRisk::known : NameRisk::unknown;
  // A partial only remembers a function, which is judged by its own name; reduce and others call it.
  if (module == "functools") return name == "partial" ? NameRisk::known : NameRisk::dangerous;
  if (module == "_loss") return NameRisk::known;  // how Cython spells sklearn._loss._loss in scikit-learn 1.2 to 1.5
  if (contains(class_packages, package)) return library_risk(module, name, called);
  return contains(dangerous_functions, last_part(name)) ? NameRisk::dangerous : NameRisk::unknown;
}

}  // namespace jackdaw::formats
