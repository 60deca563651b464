// Spans and counts as the server writes them.
export function span(s) {
  if (s < 120) return `${s} s`;
  if (s < 5400) return `${Math.floor(s / 60)} min`;
  const parts = (big, of, unit, small, less) => (small ? `${Math.floor(big / of)} ${unit} ${small} ${less}` : `${Math.floor(big / of)} ${unit}`);
  if (s < 172800) return parts(s, 3600, "h", Math.floor((s % 3600) / 60), "min");
  return parts(s, 86400, "d", Math.floor((s % 86400) / 3600), "h");
}
