// Unicode normalization form C (UAX 15), Unicode 16.0.
#pragma once

#include <string>
#include <string_view>

namespace jackdaw::text {

// Bytes that are no UTF-8 stay as they are. Linear but for sorting runs of combining marks.
std::string to_nfc(std::string_view text);

}  // namespace jackdaw::text
