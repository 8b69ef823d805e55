export function RunsView() {
  return <p class="notice">…</p>;
}
