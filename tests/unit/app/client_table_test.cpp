#include <catch2/catch.hpp>

#include "src/app/client/object_table.h"
#include "src/app/client/table_layout.h"

using namespace jackdaw;
using namespace jackdaw::app;

namespace {

TableLayout services() {
  TableLayout table({{"Name"}, {"URL"}, {"Ready"}, {"Prev"}, {"Age"}});
  table.add({"iris", "http://iris-default.example.com", "True", "", "3m20s"});
  table.add({"a-service-with-a-long-name", "http://a-service-with-a-long-name-default.example.com", "False", "", "5s"});
  return table;
}

int widest(const std::string& text) {
  int width = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    width = std::max(width, display_width(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return width;
}

}  // namespace

TEST_CASE("TablesAreColumnsThreeSpacesApart") {
  TableLayout table({{"Name"}, {"Ready"}, {"Count", true}, {"Age"}});
  table.add({"iris", "True", "5", "3m"});
  table.add({"rose", "", "12345678", ""});
  CHECK(table.text({}) ==
        "NAME   READY      COUNT   AGE\n"
        "iris   True           5   3m\n"
        "rose           12345678\n");
  CHECK(table.text({.header = false}).starts_with("iris"));
}

TEST_CASE("TablesFitTheTerminal") {
  const TableLayout table = services();
  const std::string whole = table.text({});
  CHECK(widest(whole) > 100);
  CHECK(table.text({.width = widest(whole)}) == whole);
  for (const int width : {100, 80, 60, 50}) {
    const std::string text = table.text({.width = width});
    INFO(text);
    CHECK(widest(text) <= width);
    CHECK(text.find("PREV") == std::string::npos);  // empty in every row
    CHECK(text.find("iris ") != std::string::npos);
    CHECK(text.find("False") != std::string::npos);
  }
  CHECK(table.text({.width = 60}).find("…") != std::string::npos);
  CHECK(widest(table.text({.width = 1})) > 1);  // it ends, however narrow
}

TEST_CASE("ColoursChangeNoWidth") {
  const std::string plain = services().text({});
  std::string coloured = services().text({.colour = true});
  CHECK(coloured.find("\x1b[32mTrue\x1b[0m") != std::string::npos);
  CHECK(coloured.find("\x1b[31mFalse\x1b[0m") != std::string::npos);
  for (std::size_t at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  }
  CHECK(coloured == plain);
}

TEST_CASE("WideAndBrokenTextKeepsTheColumns") {
  CHECK(display_width("gr\xc3\xbc\xc3\x9f") == 4);
  CHECK(display_width("\xe6\x97\xa5\xe6\x9c\xac") == 4);
  CHECK(shortened("abcdef", 4) == "abc…");
  CHECK(shortened("\xe6\x97\xa5\xe6\x9c\xac", 3) == "\xe6\x97\xa5…");
  CHECK(shortened("abc", 3) == "abc");
  TableLayout table({{"A"}, {"B"}});
  table.add({"x\ny\x1b[31m", "\xff\xfe"});
  table.add({"only one"});
  const std::string text = table.text({});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("??") != std::string::npos);
}

TEST_CASE("GrowingTablesKeepTheirColumns") {
  TableLayout table({{"Name"}, {"Ready"}});
  table.add({"iris", "Unknown"});
  CHECK(table.next_rows({}) == "NAME   READY\niris   Unknown\n");
  table.add({"iris", "True"});
  CHECK(table.next_rows({}) == "iris   True\n");
  CHECK(table.next_rows({}).empty());
  table.add({"longer-name", "True"});
  CHECK(table.next_rows({}) == "longer-name   True\n");
}

TEST_CASE("ServersTablesAreShownByPriority") {
  const auto table = spec::read_json(R"({"kind":"Table","columnDefinitions":[{"name":"Name","priority":0},
    {"name":"Prev","type":"integer","priority":0},{"name":"Detail","priority":1}],
    "rows":[{"cells":["iris",90,"x"],"object":{"metadata":{"namespace":"prod"}}},{"cells":["rose",null]}]})",
                                     "t");
  REQUIRE(table.has_value());
  CHECK(ObjectTable(*table, {}).layout().text({}) == "NAME   PREV\niris   90\nrose\n");
  CHECK(ObjectTable(*table, {.wide = true, .with_namespace = true, .name_prefix = "isvc/"}).layout().text({}) ==
        "NAMESPACE   NAME        PREV   DETAIL\n"
        "prod        isvc/iris   90     x\n"
        "            isvc/rose\n");
}
