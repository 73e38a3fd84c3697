// The stages of reading LightGBM text: lines become key=value blocks, a block becomes a tree, a tree is checked.
#pragma once

#include <map>

#include "jackdaw/formats/tree_model.h"

namespace jackdaw::formats {

using LightgbmBlock = std::map<std::string_view, std::string_view, std::less<>>;

// A tree from its key=value lines, checked. Errors carry the key; the caller adds the tree's number.
Result<LightgbmTree> read_lightgbm_tree(const LightgbmBlock& block, std::uint32_t num_feature,
                                        const TreeReadLimits& limits);

// Fields of a line, separated by white space.
Result<std::vector<double>> parse_doubles(std::string_view key, std::string_view text);
Result<std::vector<std::int64_t>> parse_integers(std::string_view key, std::string_view text);
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace jackdaw::formats
