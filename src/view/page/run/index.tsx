export function RunView() {
  return <p class="notice">…</p>;
}
