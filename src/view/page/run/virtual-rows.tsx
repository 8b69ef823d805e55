/** A list of thousands of rows of one height, of which only those in sight are in the document. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

/** A row that leaves at one end is used again at the other: more than are ever in sight. */
const pool = 64;

export interface VirtualRowsProps {
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** -1: none */
  readonly selected: number;
  readonly onSelect: (index: number) => void;
  readonly row: (index: number) => ComponentChildren;
  readonly empty: string;
}

/** A list box: up and down, page up and page down, home and end select. */
export function VirtualRows({ label, count, rowHeight, selected, onSelect, row, empty }: VirtualRowsProps) {
  const host = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const options = {
    count,
    estimateSize: () => rowHeight,
    overscan: 6,
    getScrollElement: () => host.current,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    initialRect: { width: 400, height: 400 },
    onChange: () => redraw(0),
  };
  const [rows] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options));
  rows.setOptions({ ...rows.options, ...options });
  useEffect(() => rows._didMount(), [rows]);
  useLayoutEffect(() => rows._willUpdate());
  // The list follows the selection that another panel makes.
  const isFirst = useRef(true);
  useEffect(() => {
    if (selected >= 0) rows.scrollToIndex(selected, { align: isFirst.current ? 'center' : 'auto' });
    isFirst.current = false;
  }, [rows, selected]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor((host.current?.clientHeight ?? rowHeight) / rowHeight) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: selected + 1,
      ArrowUp: selected - 1,
      PageDown: selected + page,
      PageUp: selected - page,
      Home: 0,
      End: count - 1,
    };
    const target = moves[event.key];
    if (target === undefined || count === 0) return;
    event.preventDefault();
    onSelect(Math.max(0, Math.min(count - 1, target)));
  };
  const idOf = (index: number): string => `${label.replaceAll(' ', '-')}-${index}`;
  const items = rows.getVirtualItems();
  const isShown = items.some(({ index }) => index === selected);
  return (
    <div
      ref={host}
      class="rows"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={isShown ? idOf(selected) : undefined}
      onKeyDown={onKeyDown}
    >
      {count === 0 && <p class="quiet rows-empty">{empty}</p>}
      <div class="rows-all" role="presentation" style={{ height: `${rows.getTotalSize()}px` }}>
        {items.map(({ index, start }) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list box has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus
          <div
            key={index % pool}
            id={idOf(index)}
            class="rows-row"
            role="option"
            aria-selected={index === selected}
            aria-posinset={index + 1}
            aria-setsize={count}
            style={{ height: `${rowHeight}px`, transform: `translateY(${start}px)` }}
            onClick={() => onSelect(index)}
          >
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
