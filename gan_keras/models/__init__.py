"""Networks: generators, discriminators and encoders, each a functional Keras model, and how clips go through them."""
