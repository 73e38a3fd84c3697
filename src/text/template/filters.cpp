#include "src/text/template/filters.h"

#include <algorithm>

namespace jackdaw::text::jinja {
namespace {

constexpr FilterInfo filters[] = {
    {"tojson", filter_tojson},
    {"length", filter_length},
    {"trim", filter_trim},
    {"string", filter_string},
    {"items", filter_items},
    {"join", filter_join},
    {"default", filter_default_value},
    {"d", filter_default_value},
    {"list", filter_list},
    {"safe", filter_safe},
    {"selectattr", filter_selectattr},
    {"rejectattr", filter_rejectattr},
    {"select", filter_select},
    {"reject", filter_reject},
    {"map", filter_map},
    {"lower", filter_lower},
    {"upper", filter_upper},
    {"title", filter_title},
    {"capitalize", filter_capitalize},
    {"replace", filter_replace},
    {"indent", filter_indent},
    {"first", filter_first},
    {"last", filter_last},
    {"unique", filter_unique},
    {"sort", filter_sort},
    {"dictsort", filter_dictsort},
    {"groupby", filter_groupby},
    {"reverse", filter_reverse},
    {"min", filter_min},
    {"max", filter_max},
    {"sum", filter_sum},
    {"int", filter_to_int},
    {"float", filter_to_float},
    {"abs", filter_abs},
    {"round", filter_round},
    {"count", filter_length},
    {"attr", filter_attr},
    {"batch", filter_batch},
    {"slice", filter_slice},
    {"center", filter_center},
    {"format", filter_format},
    {"truncate", filter_truncate},
    {"wordcount", filter_wordcount},
    {"e", filter_escape},
    {"escape", filter_escape},
    {"forceescape", filter_forceescape},
    {"striptags", filter_striptags},
    {"urlencode", filter_urlencode},
    {"xmlattr", filter_xmlattr},
    {"filesizeformat", filter_filesizeformat},
    {"pprint", filter_refused},
    {"random", filter_refused},
    {"urlize", filter_refused},
    {"wordwrap", filter_refused},
};

}  // namespace

const FilterInfo* find_filter(std::string_view name) {
  const FilterInfo* found = std::find_if(std::begin(filters), std::end(filters),
                                         [&](const FilterInfo& filter) { return filter.name == name; });
  return found == std::end(filters) ? nullptr : found;
}

Value Render::filter(std::string_view name, Value value, const Arguments& arguments) {
  const FilterInfo* found = find_filter(name);
  if (found == nullptr) fail("no filter named '{}'", name);
  return found->apply(*this, value, arguments);
}

}  // namespace jackdaw::text::jinja
