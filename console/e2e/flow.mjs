// The flows there are. A topic's file adds its own when it is loaded.
export const flows = [];

/**
 * Adds a flow. `steps` gets the room it happens in: the demonstration, an operator, `account` to make one of its own,
 * `page` for somebody. `long` flows begin first; `alone` ones run last with nothing beside them.
 */
export const flow = (what, steps, { long = 0, alone = false } = {}) => flows.push({ what, steps, long, alone });
