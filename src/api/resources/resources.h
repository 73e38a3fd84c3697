// KServe's custom resources in the shape of a Kubernetes API, so that kubectl and Kubernetes client libraries work
// against a bare daemon: discovery, objects, tables, watches.
#pragma once

#include "jackdaw/spec/json.h"
#include "src/api/call.h"

namespace jackdaw::api::resources {

// Discovery: what there is.
void api_versions(Call call);     // GET /api
void core_resources(Call call);   // GET /api/v1
void api_groups(Call call);       // GET /apis
void api_group(Call call);        // GET /apis/{group}
void group_resources(Call call);  // GET /apis/{group}/{version}
void openapi_index(Call call);    // GET /openapi/v3
void openapi_group(Call call);    // GET /openapi/v3/apis/{group}/{version}
void openapi_core(Call call);     // GET /openapi/v3/api/v1

// Namespaces are not objects here: every name is one, and those with objects in them are listed, beside "default".
void list_namespaces(Call call);  // GET /api/v1/namespaces
void get_namespace(Call call);    // GET /api/v1/namespaces/{name}
spec::Json namespace_object(const std::string& name);

// Objects: /apis/{group}/{version}/namespaces/{namespace}/{plural}[/{name}[/status]].
void list_all(Call call);  // GET /apis/{group}/{version}/{plural}, all namespaces; ?watch=true watches
void list(Call call);      // GET, also ?watch=true
void create(Call call);
void remove_all(Call call);  // DELETE of a collection
void get(Call call);
void replace(Call call);
void patch(Call call);
void remove(Call call);
void replace_status(Call call);
void patch_status(Call call);

}  // namespace jackdaw::api::resources
