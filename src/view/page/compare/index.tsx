export function CompareView() {
  return <p class="notice">…</p>;
}
