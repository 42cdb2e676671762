// Loads a SavedModel with the function that TensorFlow Serving calls and runs a signature.
//
//     load_savedmodel VERSION_FOLDER SIGNATURE [NAME DTYPE SHAPE FILE]... > frames
//
// takes an input from each FILE, DTYPE one of uint8, int64, float32 and SHAPE as in 1,16,64,64,3, and writes the bytes
// of `video`, uint8, to the standard output.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"

namespace {

int Fail(const tensorflow::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

tensorflow::Tensor Read(const std::string& dtype, const std::string& shape, const char* file) {
  tensorflow::TensorShape sides;
  std::istringstream list(shape);
  for (std::string side; std::getline(list, side, ',');) sides.AddDim(std::stoll(side));
  tensorflow::Tensor tensor(dtype == "uint8"   ? tensorflow::DT_UINT8
                            : dtype == "int64" ? tensorflow::DT_INT64
                                               : tensorflow::DT_FLOAT,
                            sides);
  std::ifstream stream(file, std::ios::binary);
  stream.read(const_cast<char*>(tensor.tensor_data().data()), tensor.tensor_data().size());
  return tensor;
}

}  // namespace

int main(int count, char** arguments) {
  tensorflow::SavedModelBundle bundle;
  auto status = tensorflow::LoadSavedModel({}, {}, arguments[1], {"serve"}, &bundle);
  if (!status.ok()) return Fail(status);
  const auto& signature = bundle.GetSignatures().at(arguments[2]);
  std::vector<std::pair<std::string, tensorflow::Tensor>> inputs;
  for (int i = 3; i + 3 < count; i += 4) {
    inputs.emplace_back(signature.inputs().at(arguments[i]).name(),
                        Read(arguments[i + 1], arguments[i + 2], arguments[i + 3]));
  }
  std::vector<tensorflow::Tensor> outputs;
  status = bundle.GetSession()->Run(inputs, {signature.outputs().at("video").name()}, {}, &outputs);
  if (!status.ok()) return Fail(status);
  const auto frames = outputs[0].flat<uint8_t>();
  std::fwrite(frames.data(), 1, frames.size(), stdout);
  return 0;
}
