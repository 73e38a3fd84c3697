// Admit: the one place that decides whether a call may go on to its endpoint, by what its row of the table needs.
#pragma once

#include <string_view>

#include "src/api/call.h"
#include "src/api/routes.h"

namespace jackdaw::api {

// False: it may not, and was answered (401 or 403, in the shape of its family). Otherwise `call.grant` is what limits
// the call: null when nothing does.
bool admit(Call& call, const Route& route);

// Whether the caller showed a token that is somebody's here, whether the call needed one or not.
bool shows_own_key(const Call& call);

// Whether the call's grant covers that model, for endpoints that learn of it later than from the path.
bool may_use(const Call& call, std::string_view model, std::string_view namespace_name);

}  // namespace jackdaw::api
