#include "json_pipeline.h"

#include <array>

#include "pre_tokenizer.h"
#include "utf8.h"

namespace jackdaw::text::json {

namespace {

Error unsupported(std::string_view part, std::string_view what) {
  return make_error(Code::unsupported, "tokenizer.json: the {} {} is not supported.", part, what);
}

// Runs `read` over the members of a Sequence, or over the element itself. Sequences do not nest in practice; those that
// do are refused, which bounds the depth.
template <typename Read>
Result<void> each_part(const Element& element, std::string_view list, std::string_view what, Read read) {
  const auto type = text(element, "type");
  if (!type) return make_error(Code::parse_error, "tokenizer.json: the {} has no type.", what);
  if (*type != "Sequence") return read(element, *type);
  const auto parts = array(element, list);
  if (!parts) return make_error(Code::parse_error, "tokenizer.json: the {} Sequence has no {}.", what, list);
  for (const Element part : *parts) {
    const auto inner = text(part, "type");
    if (!inner || *inner == "Sequence") return unsupported(what, "with a Sequence inside a Sequence");
    JACKDAW_TRY(read(part, *inner));
  }
  return {};
}

Result<std::string> decode_base64(std::string_view text) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static const std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> made{};
    made.fill(64);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
      made[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return made;
  }();
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == 64) return make_error(Code::parse_error, "tokenizer.json: precompiled_charsmap is no base64.");
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xFFu));
  }
  return bytes;
}

struct Pattern {
  std::optional<std::string_view> text;
  std::optional<std::string_view> regex;
};
Pattern pattern_of(const Element& element) {
  const auto pattern = member(element, "pattern");
  if (!pattern) return {};
  return {text(*pattern, "String"), text(*pattern, "Regex")};
}

Result<void> read_replace(const Element& part, Pipeline& pipeline) {
  const Pattern pattern = pattern_of(part);
  const std::string_view content = text(part, "content").value_or("");
  if (pattern.text == " " && content == space_mark) {
    pipeline.spaces_marked = true;
    return {};
  }
  const bool runs = pattern.regex == " {2,}" || pattern.regex == " +";
  if (runs && (content == " " || content == space_mark)) {
    pipeline.spec.remove_extra_whitespaces = true;
    pipeline.spaces_marked = pipeline.spaces_marked || content == space_mark;
    return {};
  }
  return unsupported("normalizer", fmt::format("Replace of \"{}\" by \"{}\"",
                                               pattern.text ? *pattern.text : pattern.regex.value_or(""), content));
}

Result<void> read_split(const Element& part, Pipeline& pipeline) {
  const Pattern pattern = pattern_of(part);
  const std::string_view behavior = text(part, "behavior").value_or("");
  // Gemma cuts at spaces, of which its normalizer leaves none.
  if (pattern.text == " " && pipeline.spaces_marked) return {};
  const Split* split = pattern.regex ? find_split_by_pattern(*pattern.regex) : nullptr;
  if (split == nullptr) {
    return unsupported("pre_tokenizer", fmt::format("Split at the pattern \"{}\"",
                                                    pattern.regex ? *pattern.regex : pattern.text.value_or("")));
  }
  const bool keeps_matches = behavior == "Removed" && boolean(part, "invert").value_or(false);
  if (behavior != "Isolated" && !keeps_matches) {
    return unsupported("pre_tokenizer", fmt::format("Split with behavior \"{}\"", behavior));
  }
  pipeline.spec.splits.emplace_back(split->name);
  return {};
}

Result<void> read_metaspace(const Element& part, Pipeline& pipeline) {
  if (text(part, "replacement").value_or(space_mark) != space_mark) {
    return unsupported("pre_tokenizer", "Metaspace with another replacement than ▁");
  }
  const bool adds = boolean(part, "add_prefix_space").value_or(true);
  const std::string_view scheme = text(part, "prepend_scheme").value_or(adds ? "always" : "never");
  pipeline.spaces_marked = true;
  pipeline.prefixed = pipeline.prefixed || scheme != "never";
  pipeline.spec.space_prefix_unless_space = true;
  pipeline.spec.space_prefix_at_start_only = scheme == "first";
  pipeline.spec.split_at_spaces = boolean(part, "split").value_or(true);
  return {};
}

Result<void> read_byte_level(const Element& part, Pipeline& pipeline) {
  if (boolean(part, "add_prefix_space").value_or(true)) {
    return unsupported("pre_tokenizer", "ByteLevel with add_prefix_space");
  }
  pipeline.byte_level = true;
  if (boolean(part, "use_regex").value_or(true)) pipeline.spec.splits.emplace_back("gpt-2");
  return {};
}

// {"SpecialToken": {"id": "<s>"}} -> "<s>"; "" for the text's own place.
std::string_view special_token(const Element& step) {
  const auto token = member(step, "SpecialToken");
  return token ? text(*token, "id").value_or("") : std::string_view();
}

Result<void> read_template(const Element& part, Pipeline& pipeline) {
  const auto steps = array(part, "single");
  if (!steps) return make_error(Code::parse_error, "tokenizer.json: TemplateProcessing has no \"single\".");
  bool text_seen = false;
  for (const Element step : *steps) {
    const std::string_view token = special_token(step);
    if (token.empty()) {
      text_seen = true;
      continue;
    }
    std::string_view& place = text_seen ? pipeline.last : pipeline.first;
    if (!place.empty()) return unsupported("post_processor", "TemplateProcessing with several tokens on one side");
    place = token;
  }
  return {};
}

// ["</s>", 2] of RobertaProcessing and BertProcessing.
std::string_view named_token(const Element& part, std::string_view key) {
  const auto pair = array(part, key);
  std::string_view token;
  if (!pair || pair->at(0).get(token) != simdjson::SUCCESS) return {};
  return token;
}

}  // namespace

Result<void> read_normalizer(const Element& normalizer, Pipeline& pipeline) {
  return each_part(normalizer, "normalizers", "normalizer",
                   [&](const Element& part, std::string_view type) -> Result<void> {
                     if (type == "NFC") {
                       pipeline.spec.nfc = true;
                       return {};
                     }
                     if (type == "Prepend" && text(part, "prepend") == space_mark) {
                       pipeline.prefixed = true;
                       return {};
                     }
                     if (type == "Replace") return read_replace(part, pipeline);
                     if (type == "Precompiled") {
                       JACKDAW_ASSIGN(pipeline.spec.precompiled_charsmap,
                                      decode_base64(text(part, "precompiled_charsmap").value_or("")));
                       return {};
                     }
                     return unsupported("normalizer", type);
                   });
}

Result<void> read_pre_tokenizer(const Element& pre_tokenizer, Pipeline& pipeline) {
  return each_part(pre_tokenizer, "pretokenizers", "pre_tokenizer",
                   [&](const Element& part, std::string_view type) -> Result<void> {
                     if (type == "ByteLevel") return read_byte_level(part, pipeline);
                     if (type == "Split") return read_split(part, pipeline);
                     if (type == "Metaspace") return read_metaspace(part, pipeline);
                     if (type == "Digits") {
                       const bool single = boolean(part, "individual_digits").value_or(false);
                       pipeline.spec.splits.emplace_back(single ? "number" : "numbers");
                       return {};
                     }
                     if (type == "Punctuation" && text(part, "behavior") == "Contiguous") {
                       pipeline.spec.splits.emplace_back("punctuation");
                       return {};
                     }
                     return unsupported("pre_tokenizer", type);
                   });
}

Result<void> read_decoder(const Element& decoder, Pipeline& pipeline) {
  return each_part(decoder, "decoders", "decoder", [&](const Element&, std::string_view type) -> Result<void> {
    if (type == "ByteLevel") pipeline.byte_level = true;
    // The others undo what SentencePiece did, which decoding here always does.
    for (const std::string_view known : {"ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"}) {
      if (type == known) return {};
    }
    return unsupported("decoder", type);
  });
}

Result<void> read_post_processor(const Element& post_processor, Pipeline& pipeline) {
  return each_part(post_processor, "processors", "post_processor",
                   [&](const Element& part, std::string_view type) -> Result<void> {
                     if (type == "ByteLevel") return {};  // trims offsets only
                     if (type == "TemplateProcessing") return read_template(part, pipeline);
                     if (type == "RobertaProcessing" || type == "BertProcessing") {
                       pipeline.first = named_token(part, "cls");
                       pipeline.last = named_token(part, "sep");
                       return {};
                     }
                     return unsupported("post_processor", type);
                   });
}

}  // namespace jackdaw::text::json
