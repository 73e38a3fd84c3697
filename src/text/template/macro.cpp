// Calling macros: jinja2's Macro.__call__.
#include <utility>

#include "src/text/template/evaluator.h"

namespace jackdaw::text::jinja {

Value Evaluator::call_macro(const MacroObject& macro, const Arguments& arguments) {
  const MacroInfo& info = *macro.info;
  DepthGuard guard(calls_, limits().depth_max, "macro calls are");
  Activation* const activation = activate(info.function, macro.closure);
  bind_macro(info, arguments, activation->slots);

  Activation* const saved_here = std::exchange(here_, activation);
  std::string text;
  std::string* const saved_out = std::exchange(out_, &text);
  const bool saved_capturing = std::exchange(capturing_, true);
  load(info.loads);
  fill_defaults(info);
  execute(info.body);
  here_ = saved_here;
  out_ = saved_out;
  capturing_ = saved_capturing;
  return string(text);
}

void Evaluator::bind_macro(const MacroInfo& info, const Arguments& arguments, Value* slots) {
  const std::size_t count = info.parameters.size();
  const std::size_t given = std::min(count, arguments.positional.size());
  for (std::size_t i = 0; i < given; ++i) slots[info.parameter_slots[i]] = arguments.positional[i];
  std::vector<bool> used(arguments.named.size(), false);
  bool found_caller = given == count && info.explicit_caller;
  for (std::size_t i = given; i < count; ++i) {
    if (info.parameters[i] == "caller") found_caller = true;
    for (std::size_t k = 0; k < arguments.named.size(); ++k) {
      if (arguments.named[k].name != info.parameters[i]) continue;
      slots[info.parameter_slots[i]] = arguments.named[k].value;
      used[k] = true;
    }
  }
  bind_special(info, arguments, found_caller, used, slots);
}

void Evaluator::bind_special(const MacroInfo& info, const Arguments& arguments, bool found_caller,
                             std::vector<bool>& used, Value* slots) {
  if (info.takes_caller && !found_caller) {
    Value caller;
    for (std::size_t k = 0; k < used.size(); ++k)
      if (!used[k] && arguments.named[k].name == "caller") {
        caller = arguments.named[k].value;
        used[k] = true;
      }
    if (caller.is_missing() || caller.is_none()) caller = undefined_hint("No caller defined", "caller");
    slots[info.caller_slot] = caller;
  }
  DictObject* kwargs = info.takes_kwargs ? new_dict(used.size()) : nullptr;
  for (std::size_t k = 0; k < used.size(); ++k) {
    if (used[k]) continue;
    if (kwargs == nullptr) fail("macro '{}' takes no keyword argument '{}'", info.name, arguments.named[k].name);
    put(*kwargs, view(arguments.named[k].name), arguments.named[k].value);
  }
  if (kwargs != nullptr) slots[info.kwargs_slot] = Value::of(static_cast<const DictObject*>(kwargs));
  const std::size_t count = info.parameters.size();
  const bool more = arguments.positional.size() > count;
  if (info.takes_varargs)
    slots[info.varargs_slot] = tuple(more ? arguments.positional.subspan(count) : std::span<const Value>());
  else if (more)
    fail("macro '{}' takes not more than {} argument(s)", info.name, count);
}

void Evaluator::fill_defaults(const MacroInfo& info) {
  const std::size_t required = info.parameters.size() - info.defaults.size();
  for (std::size_t i = 0; i < info.parameters.size(); ++i) {
    Value& slot = here_->slots[info.parameter_slots[i]];
    if (!slot.is_missing()) continue;
    if (i >= required)
      slot = evaluate(*info.defaults[i - required]);
    else
      slot = undefined_hint(heap().copy(fmt::format("parameter '{}' was not provided", info.parameters[i])),
                            info.parameters[i]);
  }
}

}  // namespace jackdaw::text::jinja
