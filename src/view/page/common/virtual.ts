/** Long lists: only the rows near the window are in the document. The window scrolls, as on any page. */
import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface VirtualList {
  readonly items: readonly VirtualItem[];
  /** px of all rows together */
  readonly height: number;
  /** px from the top of the page to the list: subtract it from `start` */
  readonly margin: number;
  readonly scrollTo: (index: number) => void;
}

/** `top`: px of the window that something sticky covers. */
export function useVirtualRows(
  list: RefObject<HTMLElement | null>,
  rows: { readonly count: number; readonly size: (index: number) => number; readonly top?: number },
): VirtualList {
  const [, update] = useState(0);
  const [margin, setMargin] = useState(0);
  const made = useRef<Virtualizer<Window, Element> | null>(null);
  const options = {
    count: rows.count,
    getScrollElement: () => window,
    estimateSize: rows.size,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    initialOffset: () => scrollY,
    initialRect: { width: innerWidth, height: innerHeight },
    scrollMargin: margin,
    scrollPaddingStart: rows.top ?? 0,
    overscan: 8,
    onChange: () => update((n) => n + 1),
  };
  made.current ??= new Virtualizer<Window, Element>(options);
  const virtualizer = made.current;
  virtualizer.setOptions(options);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  // Whatever is above the list may change its height at any time.
  useLayoutEffect(() => {
    const element = list.current;
    // While it scrolls nothing above it changes, and to measure would lay out every frame twice.
    if (!element || virtualizer.isScrolling) return;
    const at = Math.round(element.getBoundingClientRect().top + scrollY);
    if (at !== margin) setMargin(at);
  });
  const { size } = rows;
  useLayoutEffect(() => {
    virtualizer.measure();
  }, [size]);
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    margin,
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  };
}
