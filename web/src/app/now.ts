import { useSyncExternalStore } from "react";

/** A clock that all components share, so that "3 h ago" ages without a timer in each of them. */
function ticking(every: number) {
  let now = Date.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  const listeners = new Set<() => void>();
  return {
    subscribe(listener: () => void) {
      listeners.add(listener);
      if (!timer) {
        now = Date.now();
        timer = setInterval(() => {
          now = Date.now();
          for (const l of listeners) l();
        }, every);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    // Between ticks the value must not move, or React would render forever.
    get: () => {
      if (!timer && Date.now() - now > every) now = Date.now();
      return now;
    },
  };
}

const minutely = ticking(15_000);
const secondly = ticking(1_000);

export const useNow = () => useSyncExternalStore(minutely.subscribe, minutely.get);
export const useSecond = () => useSyncExternalStore(secondly.subscribe, secondly.get);
