#include "src/spec/predictor.h"

namespace jackdaw::spec {
namespace {

// storage: {key, path, parameters{type, bucket}} names "<type>://<bucket>/<path>", as KServe's storage initializer
// puts it together from the secret and the parameters.
void read_storage_block(const Node& storage, Predictor& out, Complaints& complaints) {
  const Node* parameters = storage.find("parameters");
  const std::string_view path = storage.text_of("path");
  const std::string_view type = parameters != nullptr ? parameters->text_of("type") : std::string_view();
  const std::string_view bucket = parameters != nullptr ? parameters->text_of("bucket") : std::string_view();
  if (!type.empty() && type != "s3" && type != "hdfs" && type != "webhdfs") {
    complaints.error(FindingKind::invalid_value, *parameters->find("type"),
                     fmt::format("storage.spec.type, must be one of: [s3://, hdfs://, webhdfs://]. storage.spec.type "
                                 "[{}] is not supported",
                                 type));
    return;
  }
  if (type.empty() || (type == "s3" && bucket.empty())) {
    complaints.error(FindingKind::unsupported, storage,
                     "not supported yet by this version: a storage block whose type and bucket are in a Secret; write "
                     "parameters {type: s3, bucket: ...} here and map the URI with spec.storage.map of kind Daemon, or "
                     "use storageUri");
    return;
  }
  if (const Node* key = storage.find("key")) {
    complaints.report(*key, "the storage key has no effect here: no Secret is read");
  }
  const std::string_view slash = path.empty() || path.front() == '/' ? "" : "/";
  out.storage_uri.set(fmt::format("{}://{}{}{}", type, bucket, slash, path), storage.place());
}

void read_several(const Node& uris, Predictor& out, Complaints& complaints) {
  if (!uris.is_sequence()) return;
  if (uris.items.size() != 1) {
    complaints.error(FindingKind::unsupported, uris,
                     fmt::format("not supported yet by this version: storageUris with {} sources; put the model into "
                                 "one folder and name it with storageUri",
                                 uris.items.size()));
    return;
  }
  const Node& source = uris.items.front();
  const Node* uri = source.find("uri");
  if (uri == nullptr || !uri->is_text() || uri->text.empty()) {
    complaints.error(FindingKind::missing_field, source, "uri is missing; it names the model's folder");
    return;
  }
  if (const Node* mount = source.find("mountPath")) {
    complaints.report(*mount, "'mountPath' has no effect here: the model is read where it is");
  }
  out.storage_uri.set(uri->text, uri->place());
}

}  // namespace

void read_model_source(const Node& predictor, const Node& block, Predictor& out, Complaints& complaints) {
  const Node* uri = block.find("storageUri");
  const Node* uris = predictor.find("storageUris");
  const Node* storage = block.find("storage");
  const bool has_uri = uri != nullptr && !uri->is_null();
  const bool has_uris = uris != nullptr && !uris->is_null();
  const bool has_storage = storage != nullptr && storage->is_map();
  if (has_uri && has_uris) {
    complaints.error(FindingKind::invalid_value, *uris, "Setting both StorageURI and StorageURIs is not supported.");
  } else if (has_uris) {
    read_several(*uris, out, complaints);
  } else if (has_uri) {
    if (uri->is_text() && !uri->text.empty()) out.storage_uri.set(uri->text, uri->place());
    if (has_storage) complaints.report(*storage, "'storage' has no effect here: storageUri names the model already");
    if (uri->is_text() && uri->text.empty()) {
      complaints.error(FindingKind::invalid_value, *uri, "storageUri is empty; it names the model's file or folder");
    }
  } else if (has_storage) {
    read_storage_block(*storage, out, complaints);
  } else {
    complaints.error(FindingKind::missing_field, block,
                     "storageUri is missing; it names the model's file or folder, for example "
                     "file:///srv/models/iris or pvc://claim/iris");
  }
}

}  // namespace jackdaw::spec
