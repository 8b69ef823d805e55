export function PlayView() {
  return <p class="notice">…</p>;
}
