// A check of options whose value is a whole number. CLI11's own would print the largest double as the upper bound.
#pragma once

namespace CLI {
class Validator;
}

namespace jackdaw::app {

CLI::Validator at_least(long long least);

}  // namespace jackdaw::app
