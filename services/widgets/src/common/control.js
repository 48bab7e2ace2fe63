// Questions to the lab's API and orders to its supervisor, straight from the browser: a blocked kernel holds up neither.

// What the lab said no to: `message` is its sentence, with what to do.
export class Refused extends Error {
  constructor(problem, status) {
    super([problem.detail ?? problem.title ?? `The lab answers ${status}.`, problem.hint].filter(Boolean).join(" "));
    this.name = "Refused";
    this.status = status;
    this.problem = problem;
  }
}

// Nobody answered: the request may have been done, or not.
export class Silent extends Error {
  constructor(what) {
    super(`${what} does not answer. Is the lab up? In Python: lab.up(); in a terminal: vidlab status`);
    this.name = "Silent";
  }
}

// Orders that the supervisor is given: order(addresses, "/processes/worker-720p.1/kill").
export function order(addresses, path, body = {}, { signal } = {}) {
  const headers = { "X-VidLab-Secret": addresses.secret, "Content-Type": "application/json" };
  return told("The lab's supervisor", addresses.control + path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

// A question to the supervisor, such as "/events?after=3"; `patience` as for `ask`.
export function inquire(addresses, path, { signal, patience } = {}) {
  const headers = { "X-VidLab-Secret": addresses.secret };
  return told("The lab's supervisor", addresses.control + path, { headers, signal, patience });
}

// A question to the API: ask(addresses, "/videos"). With `patience` it is Silent after so many milliseconds.
export function ask(addresses, path, options = {}) {
  return told("The API", addresses.api + path, { ...options, headers: { ...token(addresses), ...options.headers } });
}

// The header that the API wants of everybody where it has a token.
export function token(addresses) {
  return addresses.token ? { Authorization: `Bearer ${addresses.token}` } : {};
}

function told(who, url, { patience, ...options }) {
  const answer = async (signal) => (await request(who, url, { ...options, signal })).json();
  return patience ? within(patience, who, options.signal, answer) : answer(options.signal);
}

// What a job gives that is aborted by that signal, and when patience ends. (Browsers that still matter have no AbortSignal.any.)
async function within(patience, who, signal, job) {
  const both = new AbortController();
  const abort = () => both.abort();
  const timer = setTimeout(abort, patience);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    return await job(both.signal);
  } catch (error) {
    throw both.signal.aborted && !signal?.aborted ? new Silent(who) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

// A response that is well. Throws Refused, Silent, and what an aborted signal throws.
export async function request(who, url, options = {}) {
  const response = await fetch(url, options).catch((error) => {
    throw error.name === "AbortError" ? error : new Silent(who);
  });
  if (!response.ok) throw new Refused(await problemOf(response), response.status);
  return response;
}

async function problemOf(response) {
  const problem = await response.json().catch(() => ({ detail: `The lab answers ${response.status}.` }));
  const wait = Number(response.headers.get("Retry-After"));
  return wait > 0 ? { ...problem, wait } : problem;
}
