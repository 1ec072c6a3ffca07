/** A directed edge with a positive weight, between nodes 0 to n - 1. */
export interface WeightedEdge { readonly to: number; readonly weight: number }

export interface PageRankOptions {
  /** Share of rank that follows edges; the rest jumps to the preferred nodes. */
  readonly damping?: number;
  readonly mostRounds?: number;
  /** Sum of changes at which the iteration ends. */
  readonly tolerance?: number;
}

/**
 * PageRank by power iteration, personalised: the random surfer jumps to a node in proportion to `preference` (not negative; all zero means equal). Rank
 * of a node without edges is shared out in the same way. Source: Page, Brin, Motwani and Winograd, "The PageRank Citation Ranking" (1999), sections 2
 * and 6. Returns one number per node; they add up to 1. Sums run in the order of nodes and edges, so equal input gives equal bits.
 */
export function pageRank(edges: readonly (readonly WeightedEdge[])[], preference: readonly number[], { damping = 0.85, mostRounds = 100, tolerance = 1e-7 }: PageRankOptions = {}): Float64Array {
  const n = edges.length;
  const jump = normalised(preference, n);
  const totals = edges.map((out) => out.reduce((sum, { weight }) => sum + weight, 0));
  let rank = Float64Array.from(jump);
  for (let round = 0; round < mostRounds; round++) {
    const next = new Float64Array(n);
    let lost = 0;
    for (let from = 0; from < n; from++) {
      const total = totals[from] ?? 0;
      const mass = rank[from] ?? 0;
      if (total === 0) lost += mass;
      else for (const { to, weight } of edges[from] ?? []) next[to] = (next[to] ?? 0) + damping * mass * (weight / total);
    }
    let change = 0;
    for (let node = 0; node < n; node++) {
      next[node] = (next[node] ?? 0) + (1 - damping + damping * lost) * (jump[node] ?? 0);
      change += Math.abs((next[node] ?? 0) - (rank[node] ?? 0));
    }
    rank = next;
    if (change < tolerance) break;
  }
  return rank;
}

function normalised(preference: readonly number[], n: number): Float64Array {
  const total = preference.reduce((sum, value) => sum + value, 0);
  return Float64Array.from({ length: n }, (_, node) => (total > 0 ? (preference[node] ?? 0) / total : 1 / n));
}
