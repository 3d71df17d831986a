/** @param {string} key */
const nameOf = (key) => `draft:${key}`;

/**
 * Unsent texts, one per composer. They survive a reload, so that nothing typed is lost.
 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} storage
 */
export function createDrafts(storage) {
  return {
    /** @param {string} key */
    read: (key) => storage.getItem(nameOf(key)) ?? "",
    /**
     * @param {string} key
     * @param {string} text
     */
    write(key, text) {
      if (text === "") return storage.removeItem(nameOf(key));
      try {
        storage.setItem(nameOf(key), text);
      } catch {
        // Storage is full or turned off. The text is still in its field.
      }
    },
  };
}

/** @typedef {ReturnType<typeof createDrafts>} Drafts */
