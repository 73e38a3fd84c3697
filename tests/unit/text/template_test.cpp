#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "jackdaw/text/chat_template.h"

namespace jackdaw::text {
namespace {

std::shared_ptr<const ChatTemplate> parsed(std::string_view source, const TemplateLimits& limits = {}) {
  auto result = ChatTemplate::parse(source, limits);
  if (!result) FAIL(result.error().text());
  return *result;
}

std::string rendered(std::string_view source, std::string_view context = "{}") {
  const auto result = parsed(source)->render(context, 0);
  if (!result) FAIL(result.error().text());
  return *result;
}

Error parse_refusal(std::string_view source, const TemplateLimits& limits = {}) {
  const auto result = ChatTemplate::parse(source, limits);
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

Error refusal(std::string_view source, std::string_view context = "{}", const TemplateLimits& limits = {}) {
  const auto result = parsed(source, limits)->render(context, 0);
  if (result) FAIL("gave " << result->substr(0, 200));
  return result.error();
}

TEST_CASE("RendersAChat") {
  const std::string_view source =
      "{% for m in messages %}\n<|{{ m.role }}|>{{ m['content'] }}</s>\n{% endfor %}\n"
      "{% if add_generation_prompt %}\n<|assistant|>\n{% endif %}";
  const std::string_view chat =
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}], "add_generation_prompt": true})";
  CHECK(rendered(source, chat) == "<|user|>Hi</s>\n<|assistant|>Ho</s>\n<|assistant|>\n");
}

TEST_CASE("RaiseExceptionComesThroughWithItsPlace") {
  const Error error = refusal("a\nb{% if true %}\n  {{ raise_exception('Roles must alternate: ' ~ 5) }}{% endif %}");
  CHECK(error.code == Code::invalid_argument);
  CHECK(error.message == "Roles must alternate: 5");
  CHECK(error.where == "chat template, line 3, column 21");
}

TEST_CASE("ErrorsSayWhatIsWrongAndWhere") {
  CHECK(refusal("{{ a.b.c }}", R"({"a": {}})").text() ==
        "chat template, line 1, column 7: 'dict object' has no attribute 'b'");
  CHECK(refusal("{{ nothing.x }}").message == "'nothing' is undefined");
  CHECK(refusal("\n\n{{ 'a' + 1 }}").text() ==
        "chat template, line 3, column 4: unsupported operand types for +: 'str' and 'int'");
  CHECK(parse_refusal("x\n{% if a %}").where == "chat template, line 2, column 11");
  CHECK(parse_refusal("{{ x | nosuch }}").message == "no filter named 'nosuch'");
  CHECK(parse_refusal("{{ x is nosuch }}").message == "no test named 'nosuch'");
  CHECK(parse_refusal("{% include 'x' %}").message == "{% include %} is not supported: a chat template stands alone");
  CHECK(parse_refusal("{% extends 'x' %}").message == "{% extends %} is not supported: a chat template stands alone");
  CHECK(parse_refusal("{% import 'x' as y %}").message ==
        "{% import %} is not supported: a chat template stands alone");
  CHECK(parse_refusal("{{ 'é' + @ }}").where == "chat template, line 1, column 10");
}

TEST_CASE("UndefinedIsNotNone") {
  CHECK(rendered("{{ x is defined }}{{ x is none }}{{ y is defined }}{{ y is none }}", R"({"y": null})") ==
        "FalseFalseTrueTrue");
  CHECK(rendered("[{{ x }}][{{ y }}]", R"({"y": null})") == "[][None]");
  CHECK(rendered("{{ x == y }}", R"({"y": null})") == "False");
}

TEST_CASE("MethodsHideKeysOfTheSameName") {
  CHECK(rendered("{{ d['items'] }} {{ d.items is callable }}", R"({"d": {"items": 1}})") == "1 True");
}

TEST_CASE("TheSandboxRefusesMutationAndInternals") {
  for (const char* call : {"l.append(1)", "l.pop()", "l.insert(0, 1)", "l.extend(l)", "l.sort()", "l.clear()",
                           "d.update(d)", "d.pop('a')", "d.setdefault('x', 1)", "d.clear()"}) {
    INFO(call);
    const Error error = refusal("{{ " + std::string(call) + " }}", R"({"l": [1], "d": {"a": 1}})");
    CHECK(error.message.find("is unsafe") != std::string::npos);
  }
  CHECK(refusal("{{ ''.__class__.__mro__ }}").message == "access to attribute '__class__' of 'str' object is unsafe.");
  CHECK(refusal("{{ '{0.__class__.x}'.format(5) }}").message ==
        "access to attribute '__class__' of 'int' object is unsafe.");
  CHECK(rendered("{{ d._private }}", R"({"d": {"_private": 1}})") == "1");
}

TEST_CASE("ReadsJsonAsPythonDoes") {
  CHECK(rendered("{{ x|tojson }}",
                 R"({"x": [1.0, 1e2, 1E-7, -0.0, 0, -5, true, null, "\u00e9\ud83d\ude00\n", {}, []]})") ==
        "[1.0, 100.0, 1e-07, -0.0, 0, -5, true, null, \"é😀\\n\", {}, []]");
}

TEST_CASE("KeepsTheOrderOfKeysAndTheLastOfEqualOnes") {
  CHECK(rendered("{{ d|tojson }}", R"({"d": {"b": 1, "a": 2, "b": 3}})") == R"({"b": 3, "a": 2})");
}

TEST_CASE("KeepsIntegersBeyond64Bits") {
  const std::string_view context = R"({"n": 123456789012345678901234567890, "m": -18446744073709551616})";
  CHECK(rendered("{{ n }} {{ m|tojson }} {{ n is integer }} {{ n == n }}", context) ==
        "123456789012345678901234567890 -18446744073709551616 True True");
  CHECK(refusal("{{ n + 1 }}", context).message == "unsupported operand types for +: 'int' and 'int'");
}

TEST_CASE("RefusesVariablesThatAreNoJsonObject") {
  for (const char* context : {"", "[]", "5", "{", "{\"a\": }", "{\"a\": 1} x", "{\"a\": 01}", "{\"a\": tru}",
                              "{\"a\": \"\\ud800\"}", "{'a': 1}", "nul", "{\"a\" 1}", "{\"a\": 1e999}", "{\"a\": -}"}) {
    INFO(context);
    const auto result = parsed("{{ a }}")->render(context, 0);
    CHECK_FALSE(result.has_value());
  }
  const std::string deep = "{\"a\": " + std::string(5000, '[') + std::string(5000, ']') + "}";
  CHECK_FALSE(parsed("{{ a }}")->render(deep, 0).has_value());
}

TEST_CASE("RefusesSourceThatIsNotUtf8OrTooLarge") {
  CHECK(parse_refusal("a\xFFz").message == "the chat template is not valid UTF-8");
  CHECK(parse_refusal("a\xED\xA0\x80z").message == "the chat template is not valid UTF-8");
  CHECK(parse_refusal(std::string(2 << 20, 'a')).code == Code::too_large);
}

TEST_CASE("UsesVariableReadsTheSyntaxTree") {
  const auto t = parsed(
      "{# tools #}{% if tools is defined %}{{ messages }}{% endif %}{% set x = 1 %}{% raw %}{{ documents }}{% endraw "
      "%}tool_calls");
  CHECK(t->uses_variable("tools"));
  CHECK(t->uses_variable("messages"));
  CHECK_FALSE(t->uses_variable("documents"));
  CHECK_FALSE(t->uses_variable("tool_calls"));
  CHECK_FALSE(t->uses_variable("x"));
}

TEST_CASE("EndsEndlessTemplates") {
#ifdef __SANITIZE_ADDRESS__
  constexpr double seconds_max = 60;
#else
  constexpr double seconds_max = 20;
#endif
  for (const char* source : {
           "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
           "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
           "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
           "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
           "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
           "{{ 'a' * 10 ** 9 }}",
           "{{ [1] * 10 ** 9 }}",
           "{{ (1,) * 10 ** 18 }}",
           "{{ 'a' * 10 ** 18 }}",
           "{{ '%1000000000d' % 1 }}",
           "{{ '{:1000000000}'.format(1) }}",
           "{{ 'a'.center(10 ** 12) }}",
           "{{ 'a'.ljust(10 ** 18) }}",
           "{{ 'a'.zfill(10 ** 18) }}",
           "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
           "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
           "{{ ('b' * 100000).join('a' * 100000) }}",
           "{{ range(100000)|join('a' * 100000) }}",
           "{{ 'a'|indent(10 ** 12) }}",
           "{{ ('a\\n' * 100000)|indent(100000) }}",
           "{{ [1]|batch(10 ** 12, 'x')|list }}",
           "{{ [1]|slice(10 ** 12)|list }}",
           "{{ [[[[]]]]|tojson(indent=10 ** 12) }}",
           "{{ range(100000)|list|tojson(indent='a' * 100000) }}",
           "{{ '\\t'.expandtabs(10 ** 12) }}",
           "{% set ns = namespace(s='a') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
           "{% set ns = namespace(s='a') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
           "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
           "{% set ns = namespace(s='a') %}{% for i in range(100) %}{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}{% "
           "endfor %}",
           "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
           "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ "
           "ns.l|tojson }}",
           "{% set a = namespace(l=[]) %}{% set b = namespace(l=[]) %}{% for i in range(100000) %}{% set a.l = [a.l] "
           "%}{% set b.l = [b.l] %}{% endfor %}{{ a.l == b.l }}",
           "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
           "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ "
           "ns.l|string|length }}",
           "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ "
           "ns.l|tojson|length }}",
           "{% set ns = namespace(l=()) %}{% for i in range(60) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: "
           "1} }}",
           "{% for i in range(100000) %}{{ ('a' * 100000)|upper|length }}{% endfor %}",
           "{% for i in range(100000) %}{{ ('é' * 100000)[i] }}{% endfor %}",
           "{% for i in range(100000) %}{{ 'x' in ('a' * 100000) }}{% endfor %}",
           "{% for i in range(100000) %}{{ (range(100000)|list)[1:] == 5 }}{% endfor %}",
           "{% for i in range(100000) %}{{ range(100000)|sum }}{% endfor %}",
       }) {
    INFO(source);
    const std::clock_t start = std::clock();
    const Error error = refusal(source);
    CHECK(error.code == Code::too_large);
    // The processor's time, not the wall's: other tests run beside this one.
    CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < seconds_max);
  }
}

TEST_CASE("RefusesDeepNestingWhileParsing") {
  const auto repeat = [](std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  CHECK(parse_refusal("{{ " + repeat("(", 10000) + repeat(")", 10000) + " }}").code == Code::too_large);
  CHECK(parse_refusal("{{ " + repeat("[", 10000) + repeat("]", 10000) + " }}").code == Code::too_large);
  CHECK(parse_refusal("{{ " + repeat("not ", 10000) + "x }}").code == Code::too_large);
  CHECK(parse_refusal("{{ " + repeat("-", 10000) + "x }}").code == Code::too_large);
  CHECK(parse_refusal("{{ x" + repeat(".a", 10000) + " }}").code == Code::too_large);
  CHECK(parse_refusal("{{ x" + repeat("|a", 10000) + " }}").code == Code::too_large);
  CHECK(parse_refusal("{{ x" + repeat("()", 10000) + " }}").code == Code::too_large);
  CHECK(parse_refusal("{{ " + repeat("1 if 1 else ", 10000) + "x }}").code == Code::too_large);
  CHECK(parse_refusal("{{ 1" + repeat(" if 1", 10000) + " }}").code == Code::too_large);
  CHECK(parse_refusal(repeat("{% if x %}", 10000)).code == Code::too_large);
  CHECK(parse_refusal(repeat("{% for x in y %}", 10000)).code == Code::too_large);
  CHECK(rendered("{{ 0" + repeat(" + 1", 10000) + " }}") == "10000");
  CHECK(rendered("{{ ''" + repeat(" ~ 'a'", 1000) + " }}") == std::string(1000, 'a'));
  CHECK(rendered(repeat("{% if true %}", 60) + "x" + repeat("{% endif %}", 60)) == "x");
}

TEST_CASE("RefusesTooManyVariablesInTooManyBranches") {
  std::string source;
  for (int i = 0; i < 20000; ++i)
    source += "{% if a" + std::to_string(i) + " %}{% set b" + std::to_string(i) + " = 1 %}{% endif %}";
  CHECK(parse_refusal(source).code == Code::too_large);
}

TEST_CASE("RefusesOutputBeyondTheLimit") {
  TemplateLimits limits;
  limits.output_bytes_max = 100;
  CHECK(refusal("{% for i in range(100) %}{{ 'abc' }}{% endfor %}", "{}", limits).message ==
        "the template renders more than 100 bytes");
}

TEST_CASE("AParsedTemplateServesManyThreads") {
  const auto t = parsed(
      "{% set ns = namespace(n=0) %}{% for x in l %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}{{ 'é'|length }}");
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (std::size_t k = 0; k < good.size(); ++k)
    threads.emplace_back([&, k] {
      for (int i = 0; i < 200; ++i) {
        const auto result = t->render(R"({"l": [1, 2, 3]})", 0);
        if (result && *result == "61") ++good[k];
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == std::vector<int>(4, 200));
}

}  // namespace
}  // namespace jackdaw::text
