// predict: engines for scikit-learn, XGBoost and LightGBM models.
#pragma once

#include <memory>

#include "jackdaw/base/env.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::predict {

// Loads EngineSpec::model_format sklearn | xgboost | lightgbm by KServe's and MLServer's file rules.
std::unique_ptr<engine::EngineFactory> make_engine_factory();

}  // namespace jackdaw::predict
