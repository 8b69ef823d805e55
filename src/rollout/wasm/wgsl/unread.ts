/** Types and functions that WGSL has for compute shaders and that the compiler does not read. */
const names =
  /^(?:mat[234]x[234]f?|atomic\w*|sampler\w*|texture\w+|\w+Barrier|(?:un)?pack\d\w+|dot4\w+|determinant|transpose|workgroupUniformLoad|modf|frexp|ldexp|quantizeToF16|reflect|refract|faceForward|reverseBits|insertBits|extractBits)$/;

export const isUnread = (name: string): boolean => names.test(name);
