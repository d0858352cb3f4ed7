import { useSyncExternalStore } from "react";

/** A choice that this browser remembers; storage that is switched off only forgets it. */
export class Preference<T extends string> {
  #value: T;
  #listeners = new Set<() => void>();
  readonly #key: string;

  constructor(key: string, fallback: T, accepts: (text: string) => text is T) {
    this.#key = key;
    let stored: string | null = null;
    try {
      stored = localStorage.getItem(key);
    } catch {
      stored = null;
    }
    this.#value = stored !== null && accepts(stored) ? stored : fallback;
  }

  get = (): T => this.#value;

  set = (value: T): void => {
    this.#value = value;
    try {
      localStorage.setItem(this.#key, value);
    } catch {
      // Kept for this page only.
    }
    for (const listener of this.#listeners) listener();
  };

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export function usePreference<T extends string>(preference: Preference<T>): T {
  return useSyncExternalStore(preference.subscribe, preference.get);
}
