"""A corpus taken through a kind of feature: pictures read ahead, batches over clips, shards that go on when killed."""
