// The one place that knows which library draws the page. Everything else imports from here.
import { h, render, Fragment, createContext, Component, createPortal } from "./preact.js";
import htm from "./htm.js";

export * from "./hooks.js";
export { h, render, Fragment, createContext, Component, createPortal };
export const html = htm.bind(h);
