/** What the supervisor tells a cell, in the JSON binding `CELL`. */
export interface CellConfig {
  id: string;
  /** Starts every line of ours on stdout. */
  token: string;
  /** The domain under which apps have hosts, without port. */
  domain: string;
  /** The 32 bytes of the `documents` channel key, base64url. */
  documentsKey: string;
  /** Nothing stands in front: strip headers, make request ids, pass other hosts to CONTROL. */
  fallback: boolean;
  /** How many isolates stay loaded. */
  isolatesMax?: number;
}
