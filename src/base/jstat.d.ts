/** The part of jstat (1.9) that we use; the package has no types of its own. */
declare module 'jstat' {
  interface JStat {
    readonly studentt: {
      /** the t with P(T <= t) = p for `dof` degrees of freedom */
      inv(p: number, dof: number): number;
    };
    readonly chisquare: {
      /** the x with P(X <= x) = p for `dof` degrees of freedom */
      inv(p: number, dof: number): number;
    };
    /** error function */
    erf(x: number): number;
    /** natural logarithm of the gamma function */
    gammaln(x: number): number;
    /** regularised incomplete beta function I_x(a, b) */
    ibeta(x: number, a: number, b: number): number;
  }
  const jstat: { readonly jStat: JStat };
  export default jstat;
}
