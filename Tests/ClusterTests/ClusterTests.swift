import Testing

/// Several nodes, in network namespaces of their own.
@Suite struct ClusterTests {}
