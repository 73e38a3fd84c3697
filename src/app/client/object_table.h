// A server's Table (meta.k8s.io/v1) as our own.
#pragma once

#include <string>

#include "jackdaw/spec/json.h"
#include "src/app/client/table_layout.h"

namespace jackdaw::app {

inline constexpr const char* table_accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

struct TableView {
  bool wide = false;  // also columns of lower priority
  bool with_namespace = false;
  std::string name_prefix;  // "inferenceservice.serving.kserve.io/": where kinds are mixed
};

// The columns of one answer, by which rows of later ones are read, too.
class ObjectTable {
 public:
  // `table`: an answer with columnDefinitions.
  ObjectTable(const spec::Json& table, TableView view);

  void add_rows(const spec::Json& table);
  TableLayout& layout() { return layout_; }

 private:
  TableView view_;
  std::vector<std::size_t> shown_;  // indices of the cells
  TableLayout layout_;
};

}  // namespace jackdaw::app
