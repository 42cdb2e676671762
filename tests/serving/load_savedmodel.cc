// Loads a SavedModel with the function that TensorFlow Serving calls and runs its default signature.
//
//     load_savedmodel VERSION_FOLDER SEED... > frames
//
// writes the bytes of `video`, uint8 [B, T, H, W, 3], to the standard output.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"

int main(int count, char** arguments) {
  tensorflow::SavedModelBundle bundle;
  auto status = tensorflow::LoadSavedModel({}, {}, arguments[1], {"serve"}, &bundle);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  const auto& signature = bundle.GetSignatures().at("serving_default");
  tensorflow::Tensor seeds(tensorflow::DT_INT64, tensorflow::TensorShape({count - 2}));
  for (int i = 2; i < count; ++i) seeds.vec<int64_t>()(i - 2) = std::atoll(arguments[i]);
  std::vector<tensorflow::Tensor> outputs;
  status = bundle.GetSession()->Run({{signature.inputs().at("seed").name(), seeds}},
                                    {signature.outputs().at("video").name()}, {}, &outputs);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  const auto frames = outputs[0].flat<uint8_t>();
  std::fwrite(frames.data(), 1, frames.size(), stdout);
  return 0;
}
