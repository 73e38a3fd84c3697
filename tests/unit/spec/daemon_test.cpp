#include <fstream>
#include <iterator>

#include "loaded.h"
#include "src/spec/schema.h"
#include "src/spec/units.h"

using namespace jackdaw;
using namespace jackdaw::spec;
using namespace std::chrono_literals;

namespace {

std::string daemon(std::string_view spec) {
  return fmt::format("apiVersion: jackdaw.dev/v1alpha1\nkind: Daemon\nspec:\n{}\n", spec);
}

}  // namespace

TEST_CASE("DefaultsHoldWithoutADaemonDocument") {
  const auto config = load_text("");
  CHECK(config.ok());
  CHECK(config.daemon.node == nullptr);
  REQUIRE(config.daemon.listen.size() == 1);
  CHECK(*config.daemon.listen[0] == "127.0.0.1:8080");
  CHECK_FALSE(config.daemon.listen[0].is_set);
  CHECK(*config.daemon.limits.body_bytes_max == 64u << 20);
  CHECK(*config.daemon.drain_timeout == 30s);
}

TEST_CASE("DaemonSettingsKnowTheirPlaces") {
  const auto config =
      load_text(daemon("  listen: ['0.0.0.0:9000']\n  limits: {maxBodyBytes: 1Mi, idleTimeout: 500ms}\n"
                       "  logging: {format: json, level: warning, access: yes}"));
  INFO(render_findings_text(config.findings));
  REQUIRE(config.ok());
  const DaemonSpec& spec = config.daemon;
  CHECK(*spec.listen[0] == "0.0.0.0:9000");
  CHECK(spec.listen[0].place.text() == "t.yaml:4:12");
  CHECK(*spec.limits.body_bytes_max == 1u << 20);
  CHECK(*spec.limits.idle_timeout == 500ms);
  CHECK_FALSE(spec.limits.body_timeout.is_set);
  CHECK(*spec.logging.format == LogFormat::json);
  CHECK(*spec.logging.level == LogLevel::warning);
  CHECK(*spec.logging.access);
}

TEST_CASE("DaemonPathsStartAtTheFilesFolder") {
  const auto config =
      load_text(daemon("  storage:\n    map: {'gs://b/': models, 's3://x': 'file:///srv/x'}\n"
                       "    pvcRoot: /mnt\n    pvc: {c: ../shared}\n    roots: [models/, /srv]"));
  REQUIRE(config.ok());
  const DaemonStorage& storage = config.daemon.storage;
  CHECK(*storage.map.at("gs://b/") == "/base/models");
  CHECK(*storage.map.at("s3://x") == "/srv/x");
  CHECK(*storage.pvc.at("c") == "/shared");
  CHECK(*storage.pvc_root == "/mnt");
  CHECK(*storage.roots[1] == "/srv");
}

TEST_CASE("RefusedDaemonSettingsSayWhy") {
  CHECK(only_error(daemon("  listn: []")).find("did you mean 'listen'?") != std::string::npos);
  CHECK(only_error(daemon("  listen: ['8080']")).find("'8080' is not host:port") != std::string::npos);
  CHECK(only_error(daemon("  listen: ['127.0.0.1:99999']")).find("is not host:port") != std::string::npos);
  CHECK(only_error(daemon("  listen: []")).find("at least one address") != std::string::npos);
  CHECK(only_error(daemon("  ioThreads: -1")) == "t.yaml:4:14: must be between 0 and 1024, not -1");
  CHECK(only_error(daemon("  drainTimeout: 10")).find("must be text, not 10") != std::string::npos);
  CHECK(only_error(daemon("  drainTimeout: 10x")).find("'10x' is not a duration") != std::string::npos);
  CHECK(only_error(daemon("  limits: {idleTimeout: 0s}")).find("longer than zero") != std::string::npos);
  CHECK(only_error(daemon("  limits: {maxBodyBytes: 1.5.5Mi}")).find("is not a size") != std::string::npos);
  CHECK(only_error(daemon("  logging: {level: warn}")) ==
        "t.yaml:4:20: must be one of debug, info, warning, error, not 'warn'");
  CHECK(only_error(daemon("  storage: {map: {'gs://a/': 's3://b/'}}")).find("must be a path on this machine") !=
        std::string::npos);
}

TEST_CASE("SecuritySettingsAreRead") {
  const auto config = load_text(daemon(
      "  listen: ['127.0.0.1:8080', 'https://0.0.0.0:8443']\n"
      "  tls: {certFile: tls/server.pem, keyFile: /etc/key.pem, clientCaFile: ca.pem, minVersion: 1.3}\n"
      "  auth:\n"
      "    tokens:\n"
      "      - {name: ci, tokenFile: ci.token, scopes: [write, read], models: ['iris-*'], namespaces: [team]}\n"
      "      - {token: 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', scopes: [infer]}\n"
      "    certificates: [{name: ops, names: ['CN=ops', 'URI:spiffe://x/*'], scopes: [metrics]}]\n"
      "    inferenceKeys: {required: true}\n"
      "  cors: {allowedOrigins: ['https://a.example:8443'], allowedHeaders: [x-a], maxAge: 1h}\n"));
  INFO(render_findings_text(config.findings));
  REQUIRE(config.findings.empty());
  const DaemonTls& tls = config.daemon.tls;
  CHECK(tls.is_set());
  CHECK(*tls.cert_file == "/base/tls/server.pem");
  CHECK(*tls.key_file == "/etc/key.pem");
  CHECK(*tls.client_certificates == DaemonTls::ClientCertificates::optional);
  CHECK(*tls.tls13_only);
  const DaemonAuth& auth = config.daemon.auth;
  REQUIRE(auth.tokens.size() == 2);
  CHECK(*auth.tokens[0].grant.name == "ci");
  CHECK(*auth.tokens[0].token_file == "/base/ci.token");
  CHECK(auth.tokens[0].grant.write);
  CHECK(auth.tokens[0].grant.read);
  CHECK_FALSE(auth.tokens[0].grant.infer);
  CHECK(auth.tokens[0].grant.models == std::vector<std::string>{"iris-*"});
  CHECK(auth.tokens[0].grant.namespaces == std::vector<std::string>{"team"});
  CHECK(*auth.tokens[1].grant.name == "tokens[1]");
  REQUIRE(auth.certificates.size() == 1);
  CHECK(auth.certificates[0].names == std::vector<std::string>{"CN=ops", "URI:spiffe://x/*"});
  CHECK(auth.certificates[0].grant.metrics);
  CHECK(*auth.inference_keys);
  CHECK(*config.daemon.cors.allowed_origins.at(0) == "https://a.example:8443");
  CHECK(*config.daemon.cors.max_age == 1h);
}

TEST_CASE("RefusedSecuritySettingsSayWhyAndTellNoSecret") {
  const auto fault = [](std::string_view text) { return only_error(daemon(text)); };
  const auto says = [&](std::string_view text, std::string_view part) {
    const std::string error = fault(text);
    INFO(error);
    CHECK(error.find(part) != std::string::npos);
    CHECK(error.find("hunter") == std::string::npos);
  };
  says("  listen: ['https://127.0.0.1:8443']", "HTTPS needs spec.tls with certFile and keyFile");
  says("  tls: {certFile: a.pem}", "belong together");
  says("  tls: {}", "needs certFile and keyFile");
  says("  tls: {certFile: a, keyFile: b, minVersion: 1.1}", "must be 1.2 or 1.3");
  says("  tls: {certFile: a, keyFile: b, clientCertificates: required}", "needs clientCaFile");
  says("  tls: {certFile: a, keyFile: b, clientCaFile: c, clientCertificates: maybe}", "must be one of none, optional");
  says("  auth: {tokens: [{token: hunter, scopes: [read]}]}", "a token has 16 to 4096 characters");
  says("  auth: {tokens: [{token: 'hunter hunter hunter', scopes: [read]}]}", "without spaces");
  says("  auth: {tokens: [{token: 'sha256:hunter', scopes: [read]}]}", "64 hexadecimal digits");
  says("  auth: {tokens: [{token: 1234567812345678, scopes: [read]}]}", "must be text; put it in quotes");
  says("  auth: {tokens: [{token: hunter-hunter-hunter, tokenFile: b, scopes: [read]}]}", "one of token and tokenFile");
  says("  auth: {tokens: [{scopes: [read]}]}", "one of token and tokenFile");
  says("  auth: {tokens: [{tokenFile: b}]}", "needs scopes");
  says("  auth: {tokens: [{tokenFile: b, scopes: [admin]}]}",
       "must be one of write, read, infer, metrics, not 'admin'");
  says("  auth: {tokens: [{tokenFile: b, scope: [read], scopes: [read]}]}", "did you mean 'scopes'?");
  says("  auth: {certificates: [{names: [ops], scopes: [read]}]}", "must begin with CN=, DNS:");
  says("  auth: {certificates: [{scopes: [read]}]}", "needs names");
  says("  auth: {inferenceKeys: {required: true}}", "nobody could ask");
  says("  cors: {allowedOrigins: ['app.example.com']}", "is no origin");
  says("  cors: {allowedOrigins: ['https://a.example/']}", "is no origin");
  says("  cors: {allowedOrigins: ['*'], allowCredentials: true}", "name the origins");
}

TEST_CASE("TwoDaemonsAreRefusedWithBothPlaces") {
  CHECK(only_error(daemon("  ioThreads: 1") + "---\n" + daemon("  ioThreads: 2")).find("already, at t.yaml:1:1") !=
        std::string::npos);
}

TEST_CASE("AMappedSchemeMayBeAnything") {
  const auto config = load_text(daemon("  storage: {map: {'minio://models/': /srv}}") + "---\n" +
                                service_text("    sklearn: {storageUri: 'minio://models/iris'}"));
  CHECK(config.ok());
  CHECK(config.services.size() == 1);
}

TEST_CASE("ReadsDurationsAndSizes") {
  CHECK(*parse_duration("1m30s") == 90s);
  CHECK(*parse_duration("1.5h") == 90min);
  CHECK(*parse_duration("250us") == 250us);
  CHECK(*parse_duration("0") == 0s);
  for (const char* bad : {"", "s", "10", "-1s", "1e3s", "1s ", "99999999h", "1..5s", "nan"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad).has_value());
  }
  CHECK(*parse_size("64Mi") == 64u << 20);
  CHECK(*parse_size("1.5k") == 1500);
  CHECK(*parse_size("12") == 12);
  for (const char* bad : {"", "Mi", "-1", "1e9", "1 Mi", "9999999Ti", "1mi"}) {
    INFO(bad);
    CHECK_FALSE(parse_size(bad).has_value());
  }
}

TEST_CASE("DocsAndExampleNameEveryDaemonField") {
  const auto text_of = [](const char* path) {
    std::ifstream in(std::string(JACKDAW_SOURCE_DIR) + "/" + path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string docs = text_of("docs/config.md"), example = text_of("configs/daemon.yaml");
  for (const std::string_view object :
       {"DaemonSpec", "DaemonLimits", "DaemonLogging", "DaemonStorage", "DaemonTls", "DaemonAuth", "DaemonToken",
        "DaemonCertificate", "DaemonGrant", "DaemonInferenceKeys", "DaemonCors"}) {
    for (const std::string_view field : field_names(object)) {
      INFO(field);
      CHECK(docs.find(field) != std::string::npos);
      const bool served = find_field(object, field)->cls == FieldClass::effective;
      if (served) CHECK(example.find(fmt::format("{}:", field)) != std::string::npos);
    }
  }
}

TEST_CASE("TheExampleHoldsTheDefaults") {
  const std::vector<std::string> paths = {std::string(JACKDAW_SOURCE_DIR) + "/configs/daemon.yaml"};
  const LoadedConfig config = load_config(paths);
  INFO(render_findings_text(config.findings));
  CHECK(config.findings.empty());
  const DaemonSpec defaults;
  const DaemonSpec& spec = config.daemon;
  REQUIRE(spec.listen.size() == 1);
  CHECK(*spec.listen[0] == *defaults.listen[0]);
  CHECK(*spec.io_threads == *defaults.io_threads);
  CHECK(*spec.drain_timeout == *defaults.drain_timeout);
  CHECK(*spec.limits.header_bytes_max == *defaults.limits.header_bytes_max);
  CHECK(*spec.limits.body_bytes_max == *defaults.limits.body_bytes_max);
  CHECK(*spec.limits.buffered_bytes_max == *defaults.limits.buffered_bytes_max);
  CHECK(*spec.limits.connections_max == *defaults.limits.connections_max);
  CHECK(*spec.limits.header_timeout == *defaults.limits.header_timeout);
  CHECK(*spec.limits.body_timeout == *defaults.limits.body_timeout);
  CHECK(*spec.limits.idle_timeout == *defaults.limits.idle_timeout);
  CHECK(*spec.limits.write_timeout == *defaults.limits.write_timeout);
  CHECK(spec.limits.write_timeout.is_set);
}
