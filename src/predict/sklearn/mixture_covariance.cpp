#include "src/predict/sklearn/mixture_covariance.h"

#include <cmath>
#include <functional>
#include <numbers>

namespace jackdaw::predict {

using formats::no_node;

namespace {

using Points = std::span<const double>;

class Pair final : public Covariance {
 public:
  Pair(std::unique_ptr<Covariance> a, std::unique_ptr<Covariance> b, bool product)
      : a_(std::move(a)), b_(std::move(b)), product_(product) {}
  double between(Points x, Points y) const override { return join(a_->between(x, y), b_->between(x, y)); }
  double of(Points x) const override { return join(a_->of(x), b_->of(x)); }

 private:
  double join(double a, double b) const { return product_ ? a * b : a + b; }
  std::unique_ptr<Covariance> a_, b_;
  bool product_;
};

class Power final : public Covariance {
 public:
  Power(std::unique_ptr<Covariance> base, double exponent) : base_(std::move(base)), exponent_(exponent) {}
  double between(Points x, Points y) const override { return std::pow(base_->between(x, y), exponent_); }
  double of(Points x) const override { return std::pow(base_->of(x), exponent_); }

 private:
  std::unique_ptr<Covariance> base_;
  double exponent_;
};

class White final : public Covariance {
 public:
  explicit White(double level) : level_(level) {}
  double between(Points, Points) const override { return 0.0; }
  double of(Points) const override { return level_; }

 private:
  double level_;
};

// A function of the squared distance of points over their length scales.
class Stationary final : public Covariance {
 public:
  using Curve = std::function<double(double)>;
  Stationary(std::vector<double> scales, Curve curve) : scales_(std::move(scales)), curve_(std::move(curve)) {}
  double between(Points x, Points y) const override {
    double sum = 0.0;
    for (std::size_t c = 0; c < x.size(); ++c) {
      const double scale = scales_.size() == 1 ? scales_[0] : scales_[c];
      const double d = x[c] / scale - y[c] / scale;
      sum += d * d;
    }
    return curve_(sum);
  }

 private:
  std::vector<double> scales_;
  Curve curve_;
};

class Dot final : public Covariance {
 public:
  explicit Dot(double sigma) : square_(sigma * sigma) {}
  double between(Points x, Points y) const override {
    double sum = 0.0;
    for (std::size_t c = 0; c < x.size(); ++c) sum += x[c] * y[c];
    return sum + square_;
  }

 private:
  double square_;
};

std::optional<Stationary::Curve> matern_curve(double nu) {
  if (nu == 0.5) return [](double d2) { return std::exp(-std::sqrt(d2)); };
  if (nu == 1.5) {
    return [](double d2) {
      const double k = std::sqrt(d2) * std::sqrt(3.0);
      return (1.0 + k) * std::exp(-k);
    };
  }
  if (nu == 2.5) {
    return [](double d2) {
      const double k = std::sqrt(d2) * std::sqrt(5.0);
      return (1.0 + k + k * k / 3.0) * std::exp(-k);
    };
  }
  if (std::isinf(nu)) return [](double d2) { return std::exp(-d2 / 2.0); };
  return std::nullopt;
}

using Made = Result<std::unique_ptr<Covariance>>;

Result<std::vector<double>> read_scales(const BuildContext& context, std::size_t columns) {
  JACKDAW_ASSIGN(std::vector<double> out, context.doubles("length_scale"));
  if (out.size() == 1 || out.size() == columns) return out;
  return context.error(Code::parse_error,
                       fmt::format("length_scale has {} numbers for {} columns", out.size(), columns));
}

Made read_stationary(const BuildContext& context, const std::string& name, std::size_t columns) {
  JACKDAW_ASSIGN(std::vector<double> scales, read_scales(context, columns));
  Stationary::Curve curve = [](double d2) { return std::exp(-0.5 * d2); };
  if (name == "Matern") {
    const double nu = context.number_or("nu", 1.5);
    auto matern = matern_curve(nu);
    if (!matern) return context.error(Code::unsupported, fmt::format("nu={}; 0.5, 1.5, 2.5 and inf are served", nu));
    curve = std::move(*matern);
  }
  if (name == "RationalQuadratic") {
    JACKDAW_ASSIGN(const double alpha, context.number("alpha"));
    curve = [alpha](double d2) { return std::pow(1.0 + d2 / (2.0 * alpha), -alpha); };
  }
  if (name == "ExpSineSquared") {
    JACKDAW_ASSIGN(const double period, context.number("periodicity"));
    const double scale = scales[0];
    curve = [period, scale](double d2) {
      const double s = std::sin(std::numbers::pi / period * std::sqrt(d2)) / scale;
      return std::exp(-2.0 * s * s);
    };
    scales = {1.0};
  }
  return std::unique_ptr<Covariance>(std::make_unique<Stationary>(std::move(scales), std::move(curve)));
}

Made read_pair(const BuildContext& context, bool product, std::size_t columns) {
  JACKDAW_ASSIGN(auto a, read_covariance(context.child(context.attribute("k1"), "k1"), columns));
  JACKDAW_ASSIGN(auto b, read_covariance(context.child(context.attribute("k2"), "k2"), columns));
  return std::unique_ptr<Covariance>(std::make_unique<Pair>(std::move(a), std::move(b), product));
}

}  // namespace

Made read_covariance(const BuildContext& context, std::size_t columns) {
  constexpr int depth_max = 48;
  if (context.node == no_node) return context.error(Code::parse_error, "a part of the kernel is missing");
  if (context.depth > depth_max) return context.error(Code::unsupported, "the kernel is nested too deeply");
  if (context.state && ++context.state->built > context.state->built_max) {
    return context.error(Code::too_large, "the kernel has too many parts");
  }
  const std::string name = context.short_class();
  if (name == "Sum" || name == "Product") return read_pair(context, name == "Product", columns);
  if (name == "Exponentiation") {
    JACKDAW_ASSIGN(const double exponent, context.number("exponent"));
    JACKDAW_ASSIGN(auto base, read_covariance(context.child(context.attribute("kernel"), "kernel"), columns));
    return std::unique_ptr<Covariance>(std::make_unique<Power>(std::move(base), exponent));
  }
  if (name == "ConstantKernel") {
    JACKDAW_ASSIGN(const double value, context.number("constant_value"));
    return std::unique_ptr<Covariance>(
        std::make_unique<Stationary>(std::vector<double>{1.0}, [value](double) { return value; }));
  }
  if (name == "WhiteKernel") {
    JACKDAW_ASSIGN(const double level, context.number("noise_level"));
    return std::unique_ptr<Covariance>(std::make_unique<White>(level));
  }
  if (name == "DotProduct") {
    JACKDAW_ASSIGN(const double sigma, context.number("sigma_0"));
    return std::unique_ptr<Covariance>(std::make_unique<Dot>(sigma));
  }
  for (std::string_view known : {"RBF", "Matern", "RationalQuadratic", "ExpSineSquared"}) {
    if (name == known) return read_stationary(context, name, columns);
  }
  return context.error(Code::unsupported, "this kernel of a Gaussian process is not served");
}

}  // namespace jackdaw::predict
