// ObjectFiles: the objects that YAML and JSON files declare, each with the place it stands at.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/json.h"
#include "jackdaw/spec/node.h"

namespace jackdaw::app {

struct FileObject {
  spec::Json json;
  std::string api_version, kind, name;
  std::string namespace_name;  // "" when the file says none
  spec::DocumentPtr document;  // keeps `node`
  const spec::Node* node = nullptr;

  std::string place() const;  // "service.yaml:1:1"
  // Where the field that a server complains of stands ("spec.predictor.containers[0].image"); the nearest one above it
  // when the file has no such field.
  std::string place_of(std::string_view field) const;
};

struct ObjectFiles {
  std::vector<FileObject> objects;    // in the order of files and documents; lists are taken apart
  std::vector<std::string> problems;  // "service.yaml:3:5: what is wrong"
};

// Files, folders (*.yaml, *.yml, *.json by name, not recursive, hidden ones left out) and "-", standard input.
ObjectFiles read_object_files(std::span<const std::string> paths);
// One text.
void read_objects(std::string_view text, std::string_view file, ObjectFiles& out);

}  // namespace jackdaw::app
