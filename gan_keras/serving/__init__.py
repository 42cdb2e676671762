"""SavedModels: export, signatures, versions, and generation from them."""
