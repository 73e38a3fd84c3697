#include "jackdaw/formats/inspect.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "src/formats/compression.h"
#include "src/formats/inspect_magic.h"
#include "src/formats/inspect_parts.h"

namespace jackdaw::formats {

namespace {

// Enough to know a file's kind; a 40 GB file of weights is not read for that.
constexpr std::size_t peek_bytes = 256 << 10;
constexpr std::uint64_t file_bytes_max = 8ull << 30;

std::string base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return printable(slash == std::string_view::npos ? path : path.substr(slash + 1), 60);
}

// An open file that closes itself.
class File {
 public:
  static Result<File> open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      const Code code = errno == ENOENT ? Code::not_found : errno == EACCES ? Code::permission_denied : Code::io_error;
      return Error{code, fmt::format("cannot open the file: {}", std::strerror(errno)), path};
    }
    File file(fd);
    struct stat info {};
    if (::fstat(fd, &info) != 0) return Error{Code::io_error, std::strerror(errno), path};
    if (S_ISDIR(info.st_mode))
      return Error{Code::invalid_argument, "this is a directory; name the model file inside it", path};
    if (!S_ISREG(info.st_mode)) return Error{Code::invalid_argument, "this is not a regular file", path};
    file.size_ = static_cast<std::uint64_t>(info.st_size);
    return file;
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::uint64_t size() const { return size_; }

  // Bytes [begin, begin + count), fewer at the file's end.
  Result<std::vector<std::byte>> read(std::uint64_t begin, std::size_t count) const {
    std::vector<std::byte> out(
        static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - std::min(begin, size_))));
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(begin + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return make_error(Code::io_error, "cannot read the file: {}", std::strerror(errno));
      if (got == 0) break;  // it shrank meanwhile
      done += static_cast<std::size_t>(got);
    }
    out.resize(done);
    return out;
  }

 private:
  explicit File(int fd) : fd_(fd) {}
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

std::string describe_foreign(const ForeignFile& foreign, std::string_view name, std::uint64_t size,
                             const InspectOptions& options) {
  Page page(options);
  page.line(0, fmt::format("{}: this seems to be {}", name, foreign.kind), LineStyle::title);
  page.row("size", fmt::format("{} bytes", grouped(size)));
  page.line(0, foreign.advice, LineStyle::caution);
  return page.take();
}

// Protocols 0 and 1 have no magic: a pickle of them starts with one of these and has STOP at its end.
bool could_be_old_pickle(Bytes file) {
  if (file.empty()) return false;
  constexpr std::string_view first = "(]})cIFLSVNKMJGTUX";
  return first.find(static_cast<char>(file[0])) != std::string_view::npos;
}

Result<std::string> describe_pickle(std::vector<std::byte> file, std::string_view name, const InspectOptions& options) {
  auto graph = read_object_graph(std::move(file));
  if (!graph) {
    Error error = std::move(graph).error();
    error.message = fmt::format("{} seems to be a pickle or joblib file, but cannot be read: {}", name, error.message);
    return error;
  }
  Page page(options);
  describe_object_graph(*graph, name, page);
  return page.take();
}

Result<std::string> describe_trees(Bytes file, TreeFileKind kind, std::string_view name,
                                   const InspectOptions& options) {
  Page page(options);
  if (auto described = describe_tree_file(file, kind, name, page); !described) {
    Error error = std::move(described).error();
    error.message = fmt::format("{} seems to be in {} format, but cannot be read: {}", name, tree_file_kind_name(kind),
                                error.message);
    return error;
  }
  return page.take();
}

Result<std::string> describe_unknown(Bytes file, std::string_view name, const InspectOptions& options) {
  Page page(options);
  page.line(0, fmt::format("{}: not a model file known to jackdaw", name), LineStyle::title);
  page.row("size", fmt::format("{} bytes", grouped(file.size())));
  page.row("first bytes", printable(as_text(file.first(std::min<std::size_t>(file.size(), 40))), 60));
  page.line(0, "Known: pickle and joblib (scikit-learn), XGBoost JSON, UBJSON and binary, LightGBM text.");
  return page.take();
}

}  // namespace

Result<std::string> inspect_bytes(std::vector<std::byte> file, std::string_view file_name,
                                  const InspectOptions& options) {
  const std::string name = base_name(file_name);
  if (file.empty()) return make_error(Code::parse_error, "{} is empty", name);
  const Bytes bytes(file);
  const Bytes tail = bytes.last(std::min(bytes.size(), peek_bytes));
  if (const auto foreign = recognise_foreign_file(bytes, tail, bytes.size()))
    return describe_foreign(*foreign, name, bytes.size(), options);
  if (file[0] == std::byte{0x80} || detect_compression(bytes) != Compression::none) {
    return describe_pickle(std::move(file), name, options);
  }
  if (const TreeFileKind kind = detect_tree_file(bytes); kind != TreeFileKind::unknown)
    return describe_trees(bytes, kind, name, options);
  if (could_be_old_pickle(bytes)) return describe_pickle(std::move(file), name, options);
  return describe_unknown(bytes, name, options);
}

Result<std::string> inspect_file(const std::string& path, const InspectOptions& options) {
  JACKDAW_ASSIGN(const File file, File::open(path));
  JACKDAW_ASSIGN(std::vector<std::byte> head, file.read(0, peek_bytes));
  JACKDAW_ASSIGN(const std::vector<std::byte> tail,
                 file.read(file.size() - std::min<std::uint64_t>(file.size(), peek_bytes), peek_bytes));
  if (const auto foreign = recognise_foreign_file(head, tail, file.size())) {
    return describe_foreign(*foreign, base_name(path), file.size(), options);
  }
  if (file.size() > file_bytes_max) {
    return Error{Code::too_large,
                 fmt::format("the file has {} bytes; at most {} are read", file.size(), file_bytes_max), path};
  }
  if (file.size() > head.size()) {
    JACKDAW_ASSIGN(head, file.read(0, static_cast<std::size_t>(file.size())));
  }
  return inspect_bytes(std::move(head), path, options);
}

}  // namespace jackdaw::formats
