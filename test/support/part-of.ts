/** A port of which a test needs only this part. */
export const partOf = <Port>(part: Partial<Port>): Port => part as Port;
