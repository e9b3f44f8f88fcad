import { describe, expect, it, vi } from "vitest";
import { Files } from "../src/lib/files";
import { beside, Unread, within } from "../src/lib/source";
import { cells, gunzip } from "../src/lib/unpack";
import { packed, Planted } from "./planted";

describe("a file", () => {
  it("is unpacked as it was packed", async () => {
    const planted = {
      "0.contrast": { data: Int16Array.from([1, -2, 3]), shape: [3, 1] },
      confusion: { data: Uint32Array.from([7]), shape: [1, 1] },
    };
    const said = { epoch: 4, tables: { "0.contrast": { most: 2, full: 3 } }, right: [0.5], judged: 7, mistakes: [] };
    const found = cells(await gunzip(packed(said, planted)), 2);
    expect(found.tables[0]?.contrast).toMatchObject({ classes: 3, cells: 1, most: 2, full: 3 });
    expect([...(found.tables[0]?.contrast?.steps ?? [])]).toEqual([1, -2, 3]);
    expect([...(found.confusion ?? [])]).toEqual([7]);
    expect(found.tables[1]).toEqual({});
  });

  it("is fetched once, and anew when the run has grown", async () => {
    const source = new Planted();
    const files = new Files(source);
    await files.index();
    const [one, same] = await Promise.all([files.cells(1), files.cells(1)]);
    expect(same).toBe(one);
    expect(source.asked.filter((name) => name.startsWith("cells"))).toEqual(["cells/1.bin?4.5"]);
    source.epochs.push(6);
    await files.index();
    expect(await files.cells(1)).not.toBe(one);
    expect(source.asked.at(-1)).toBe("cells/1.bin?5.6");
  });

  it("that was cut short or is something else is refused in words, and may be had later", async () => {
    const source = new Planted();
    const files = new Files(source);
    await files.index();
    const whole = await source.get("cells/2.bin", "");
    const wrong = [whole.slice(0, whole.length / 2), new TextEncoder().encode("<html>"), new Uint8Array(0)];
    for (const data of wrong) {
      vi.spyOn(source, "get").mockResolvedValueOnce(data);
      await expect(files.cells(2)).rejects.toThrow(/^cells\/2\.bin is damaged or was cut short/);
    }
    expect((await files.cells(2)).epoch).toBe(2);
  });

  it("of a later format is refused", async () => {
    const source = new Planted();
    vi.spyOn(source, "index").mockReturnValue({ ...source.index(), format: 2 });
    await expect(new Files(source).index()).rejects.toThrow("update nissl");
  });

  it("wanted soon is fetched two at a time, what is looked at first", async () => {
    const files = new Files(new Planted());
    const done: string[] = [];
    let running = 0;
    const want = (name: string) => async (): Promise<void> => {
      running += 1;
      expect(running).toBeLessThanOrEqual(2);
      await Promise.resolve();
      running -= 1;
      done.push(name);
      if (name === "b") throw new Error("nobody is told");
    };
    files.soon("near", ["a", "b", "c"].map(want));
    files.soon("near", ["d"].map(want));
    files.soon("history", ["e"].map(want));
    await vi.waitFor(() => expect(done).toContain("d"));
    expect(done).toEqual(["a", "b", "e", "d"]);
  });
});

describe("a source", () => {
  it("beside the page says what the server says", async () => {
    const answer = (body: string, status: number): void =>
      void vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));
    answer('{"error": "No structures were recorded at epoch 3."}', 404);
    await expect(beside("data/").get("x", "")).rejects.toThrow("No structures were recorded at epoch 3.");
    answer("<html>not here</html>", 500);
    await expect(beside("data/").get("x", "")).rejects.toThrow("the host says 500");
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    await expect(beside("data/").get("x", "")).rejects.toThrow("was `nissl view` ended?");
    vi.unstubAllGlobals();
  });

  it("within the page reads what is written there, and says what is missing", async () => {
    expect(within(document)).toBe(null);
    document.body.innerHTML =
      '<script type="application/x-nissl" data-name="a">AQID</script><script type="application/x-nissl" data-name="b">!</script>';
    const source = within(document);
    expect(source?.live).toBe(false);
    expect([...((await source?.get("a", "")) ?? [])]).toEqual([1, 2, 3]);
    await expect(source?.get("b", "")).rejects.toBeInstanceOf(Unread);
    await expect(source?.get("c", "")).rejects.toThrow("holds no c");
    document.body.innerHTML = "";
  });
});
