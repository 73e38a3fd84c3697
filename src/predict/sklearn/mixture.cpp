#include "src/predict/sklearn/mixture.h"

#include "src/predict/sklearn/calibration_isotonic.h"

namespace jackdaw::predict {
namespace {

constexpr ClassRow rows[] = {
    {"sklearn.discriminant_analysis.LinearDiscriminantAnalysis", build_linear_discriminant},
    {"sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis", build_quadratic_discriminant},
    {"sklearn.mixture.GaussianMixture", build_gaussian_mixture},
    {"sklearn.mixture.BayesianGaussianMixture", build_bayesian_mixture},
    {"sklearn.gaussian_process.GaussianProcessRegressor", build_gaussian_process_regressor},
    {"sklearn.gaussian_process.GaussianProcessClassifier", build_gaussian_process_classifier},
    {"sklearn.gaussian_process._BinaryGaussianProcessClassifierLaplace", build_binary_gaussian_process},
    {"sklearn.cross_decomposition.PLSRegression", build_partial_least_squares},
    {"sklearn.cross_decomposition.PLSCanonical", build_partial_least_squares},
    {"sklearn.cross_decomposition.CCA", build_partial_least_squares},
    {"sklearn.covariance.EllipticEnvelope", build_elliptic_envelope},
    {"sklearn.kernel_ridge.KernelRidge", build_kernel_ridge},
    {"sklearn.isotonic.IsotonicRegression", build_isotonic},
};

}  // namespace

std::span<const ClassRow> mixture_rows() {
  return rows;
}

}  // namespace jackdaw::predict
