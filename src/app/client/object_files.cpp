#include "src/app/client/object_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

namespace jackdaw::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 10'000;
constexpr std::size_t bytes_max = 8u << 20;  // as a configuration file

bool is_object_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  const bool known = extension == ".yaml" || extension == ".yml" || extension == ".json";
  return known && !path.filename().string().starts_with('.');
}

std::string at(const spec::Node& node, std::string_view words) {
  return fmt::format("{}: {}", node.place().text(), words);
}

// The text of a header that every object has; complains when there is none.
std::string header(const spec::Node& object, std::string_view name, std::string_view example, ObjectFiles& out) {
  const spec::Node* found = object.find(name);
  if (found != nullptr && found->is_text() && !found->text.empty()) return found->text;
  if (found != nullptr && !found->is_text() && !found->is_null()) {
    out.problems.push_back(at(*found, fmt::format("{} must be text, not {}", name, spec::kind_name(found->kind))));
  } else {
    out.problems.push_back(at(found != nullptr ? *found : object,
                              fmt::format("{} is missing; write for example {}: {}", name, name, example)));
  }
  return {};
}

void take_object(const spec::DocumentPtr& document, const spec::Node& node, ObjectFiles& out, bool in_list = false);

void take_list(const spec::DocumentPtr& document, const spec::Node& node, ObjectFiles& out) {
  for (const spec::Node& item : node.find("items")->items) take_object(document, item, out, true);
}

void take_object(const spec::DocumentPtr& document, const spec::Node& node, ObjectFiles& out, bool in_list) {
  if (!node.is_map()) {
    out.problems.push_back(at(
        node, fmt::format("an object with apiVersion and kind is expected here, not {}", spec::kind_name(node.kind))));
    return;
  }
  FileObject object;
  object.api_version = header(node, "apiVersion", "serving.kserve.io/v1beta1", out);
  object.kind = header(node, "kind", "InferenceService", out);
  if (object.api_version.empty() || object.kind.empty()) return;
  const spec::Node* items = node.find("items");
  if (!in_list && object.kind.ends_with("List") && items != nullptr && items->is_sequence()) {
    take_list(document, node, out);
    return;
  }
  const spec::Node* metadata = node.find("metadata");
  object.name = metadata == nullptr ? "" : std::string(metadata->text_of("name"));
  if (object.name.empty() && object.kind != "Daemon") {
    out.problems.push_back(at(metadata == nullptr ? node : *metadata, "metadata.name is missing or no text"));
    return;
  }
  if (metadata != nullptr) object.namespace_name = metadata->text_of("namespace");
  object.json = spec::Json::of(node);
  object.document = document;
  object.node = &node;
  out.objects.push_back(std::move(object));
}

const spec::Node* item_at(const spec::Node& list, std::string_view digits) {
  std::size_t index = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  const bool number = fault == std::errc() && end == digits.data() + digits.size();
  return number && index < list.items.size() ? &list.items[index] : nullptr;
}

void read_stream(std::istream& in, const std::string& name, ObjectFiles& out) {
  std::string text(bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) {
    out.problems.push_back(name + ": cannot be read");
  } else if (text.size() > bytes_max) {
    out.problems.push_back(fmt::format("{}: larger than {} MiB", name, bytes_max >> 20));
  } else {
    read_objects(text, name, out);
  }
}

void read_file(const fs::path& path, ObjectFiles& out) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    out.problems.push_back(path.string() + ": cannot be opened");
    return;
  }
  read_stream(in, path.string(), out);
}

void read_folder(const fs::path& folder, ObjectFiles& out) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && is_object_file(entry->path())) files.push_back(entry->path());
    if (files.size() > files_max) break;
  }
  if (error) out.problems.push_back(folder.string() + ": " + error.message());
  if (files.size() > files_max) {
    out.problems.push_back(fmt::format("{}: more than {} files", folder.string(), files_max));
    return;
  }
  if (!error && files.empty()) {
    out.problems.push_back(folder.string() + ": no .yaml, .yml or .json file in this folder");
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) read_file(file, out);
}

}  // namespace

std::string FileObject::place() const {
  return node == nullptr ? std::string() : node->place().text();
}

std::string FileObject::place_of(std::string_view field) const {
  const spec::Node* at_node = node;
  std::string place = this->place();
  while (at_node != nullptr && !field.empty()) {
    if (field.front() == '.') {
      field.remove_prefix(1);
      continue;
    }
    const spec::Node* next = nullptr;
    if (field.front() == '[') {
      const std::size_t close = std::min(field.find(']'), field.size());
      next = item_at(*at_node, field.substr(1, close - 1));
      if (next != nullptr) place = next->place().text();
      field.remove_prefix(std::min(close + 1, field.size()));
    } else {
      const std::string_view step = field.substr(0, field.find_first_of(".["));
      const auto member = std::find_if(at_node->members.begin(), at_node->members.end(),
                                       [step](const spec::Member& m) { return m.name == step; });
      if (member != at_node->members.end()) {
        next = &member->value;
        place = member->key_place().text();
      }
      field.remove_prefix(step.size());
    }
    at_node = next;
  }
  return place;
}

void read_objects(std::string_view text, std::string_view file, ObjectFiles& out) {
  const auto take = [&out](const spec::DocumentPtr& document) { take_object(document, document->root, out); };
  if (file.ends_with(".json")) {
    const auto document = spec::parse_json(text, file);
    document ? take(*document) : out.problems.push_back(document.error().text());
    return;
  }
  const auto documents = spec::parse_yaml(text, file);
  if (!documents) {
    out.problems.push_back(documents.error().text());
    return;
  }
  std::for_each(documents->begin(), documents->end(), take);
}

ObjectFiles read_object_files(std::span<const std::string> paths) {
  ObjectFiles out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-") {
      read_stream(std::cin, "standard input", out);
    } else if (fs::is_directory(path, error)) {
      read_folder(path, out);
    } else {
      read_file(path, out);
    }
  }
  return out;
}

}  // namespace jackdaw::app
