// The filters, by what they work on; filters.cpp has the table.
#pragma once

#include "src/text/template/library.h"

namespace jackdaw::text::jinja {

#define JACKDAW_FILTER(name) Value filter_##name(Render& render, Value value, const Arguments& arguments)

// Text (filters_text.cpp).
JACKDAW_FILTER(capitalize);
JACKDAW_FILTER(center);
JACKDAW_FILTER(escape);
JACKDAW_FILTER(forceescape);
JACKDAW_FILTER(format);
JACKDAW_FILTER(indent);
JACKDAW_FILTER(lower);
JACKDAW_FILTER(replace);
JACKDAW_FILTER(safe);
JACKDAW_FILTER(string);
JACKDAW_FILTER(striptags);
JACKDAW_FILTER(title);
JACKDAW_FILTER(trim);
JACKDAW_FILTER(truncate);
JACKDAW_FILTER(upper);
JACKDAW_FILTER(urlencode);
JACKDAW_FILTER(wordcount);
JACKDAW_FILTER(xmlattr);

// Numbers and plain values (filters_value.cpp).
JACKDAW_FILTER(abs);
JACKDAW_FILTER(attr);
JACKDAW_FILTER(default_value);
JACKDAW_FILTER(filesizeformat);
JACKDAW_FILTER(to_float);
JACKDAW_FILTER(to_int);
JACKDAW_FILTER(length);
JACKDAW_FILTER(refused);
JACKDAW_FILTER(round);
JACKDAW_FILTER(tojson);

// Sequences (filters_sequence.cpp).
JACKDAW_FILTER(dictsort);
JACKDAW_FILTER(first);
JACKDAW_FILTER(groupby);
JACKDAW_FILTER(join);
JACKDAW_FILTER(last);
JACKDAW_FILTER(list);
JACKDAW_FILTER(max);
JACKDAW_FILTER(min);
JACKDAW_FILTER(reverse);
JACKDAW_FILTER(sort);
JACKDAW_FILTER(sum);

// Sequences worked off one item at a time (filters_lazy.cpp).
JACKDAW_FILTER(batch);
JACKDAW_FILTER(items);
JACKDAW_FILTER(map);
JACKDAW_FILTER(reject);
JACKDAW_FILTER(rejectattr);
JACKDAW_FILTER(select);
JACKDAW_FILTER(selectattr);
JACKDAW_FILTER(slice);
JACKDAW_FILTER(unique);

#undef JACKDAW_FILTER

// Texts compare by their lower case unless told otherwise.
Value ignore_case(Render& render, Value value, bool case_sensitive);

}  // namespace jackdaw::text::jinja
