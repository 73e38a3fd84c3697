#include "src/app/client/object_table.h"

#include <utility>

#include "src/app/client/session.h"

namespace jackdaw::app {
namespace {

using spec::Json;

std::vector<std::size_t> shown_columns(const Json& table, bool wide) {
  std::vector<std::size_t> out;
  const Json* columns = table.find("columnDefinitions");
  for (std::size_t i = 0; columns != nullptr && i < columns->items().size(); ++i) {
    const Json* priority = columns->items()[i].find("priority");
    if (wide || priority == nullptr || priority->as_integer() == 0) out.push_back(i);
  }
  return out;
}

std::vector<TableColumn> columns_of(const Json& table, const TableView& view, const std::vector<std::size_t>& shown) {
  std::vector<TableColumn> out;
  if (view.with_namespace) out.push_back({"Namespace"});
  for (const std::size_t i : shown) out.push_back({text_at(table.find("columnDefinitions")->items()[i], {"name"})});
  return out;
}

std::string cell_text(const Json& cell) {
  if (cell.is_text()) return std::string(cell.as_text());
  return cell.is_null() ? std::string() : cell.dump();
}

}  // namespace

ObjectTable::ObjectTable(const Json& table, TableView view)
    : view_(std::move(view)), shown_(shown_columns(table, view_.wide)), layout_(columns_of(table, view_, shown_)) {
  add_rows(table);
}

void ObjectTable::add_rows(const Json& table) {
  const Json* rows = table.find("rows");
  if (rows == nullptr) return;
  for (const Json& row : rows->items()) {
    std::vector<std::string> cells;
    if (view_.with_namespace) cells.push_back(text_at(row, {"object", "metadata", "namespace"}));
    const Json* values = row.find("cells");
    for (const std::size_t i : shown_) {
      std::string cell = values == nullptr || i >= values->items().size() ? "" : cell_text(values->items()[i]);
      cells.push_back(i == 0 ? view_.name_prefix + cell : std::move(cell));
    }
    layout_.add(std::move(cells));
  }
}

}  // namespace jackdaw::app
