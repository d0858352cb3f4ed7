import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useRowKeys } from "./row-keys";

/**
 * Rows of one height in a page that scrolls: only those near the window are
 * drawn, more are asked for when the end is near, and j and k walk them.
 */
export function useWindowRows<T extends HTMLElement>({
  count,
  height,
  getKey,
  more,
  loadingMore,
  onMore,
}: {
  count: number;
  height: number;
  getKey: (index: number) => string | undefined;
  more: boolean;
  loadingMore: boolean;
  onMore: () => void;
}) {
  const body = useRef<T>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setTop((body.current?.getBoundingClientRect().top ?? 0) + globalThis.scrollY);
    measure();
    // What is above may change its height at any time: filters, a warning.
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => height,
    overscan: 20,
    scrollMargin: top,
    getItemKey: (index) => getKey(index) ?? index,
  });
  // The estimate is exact, so a change of layout only needs the cache emptied.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what makes the measurements stale
  useEffect(() => virtual.measure(), [virtual, height]);
  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (more && !loadingMore && lastIndex >= count - 10) onMore();
  }, [more, loadingMore, lastIndex, count, onMore]);
  useRowKeys({
    count,
    focus: (index) => {
      virtual.scrollToIndex(index, { align: "auto" });
      const focusRow = () => body.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus();
      focusRow();
      // A row that was not drawn yet is there in the next frame.
      if (!document.activeElement?.closest(`[data-index="${index}"]`)) requestAnimationFrame(focusRow);
    },
  });
  return { body, items, total: virtual.getTotalSize(), top };
}
