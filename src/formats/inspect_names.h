// What a name in a pickle would mean to Python, which imports and may call it while loading. jackdaw does neither.
#pragma once

#include <string_view>

namespace jackdaw::formats {

enum class NameRisk : unsigned char {
  known,      // data constructors and classes of numpy, scipy, scikit-learn, joblib, collections
  unknown,    // code of somebody else, imported and perhaps called
  dangerous,  // can run commands, evaluate code, open files or reach such functions
};

// `called`: the pickle hands it arguments with REDUCE, rather than only naming it or making an instance.
NameRisk name_risk(std::string_view module, std::string_view name, bool called);

}  // namespace jackdaw::formats
