// jackdaw plan: what fits on this machine, from the model's headers alone.
#include <cstdio>

#include "jackdaw/base/cpu.h"
#include "jackdaw/llm/llm.h"
#include "src/app/cli.h"

namespace jackdaw::app {

int plan(const PlanFlags& flags) {
  ops::ThreadPool pool(1);
  const auto backend = ops::make_cpu_backend(pool);
  int status = 0;
  for (const std::string& model : flags.models) {
    const auto plan = llm::plan(model, flags.options, *backend);
    if (!plan) {
      std::fprintf(stderr, "jackdaw: %s: %s\n", model.c_str(), plan.error().text().c_str());
      status = 1;
      continue;
    }
    std::fputs(llm::format_plan(*plan).c_str(), stdout);
    if (!plan->fits) status = 1;
  }
  return status;
}

}  // namespace jackdaw::app
