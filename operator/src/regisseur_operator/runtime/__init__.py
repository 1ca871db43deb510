"""What keeps reconciles going: caches, informers, queue, workers, registry watchers, election."""
