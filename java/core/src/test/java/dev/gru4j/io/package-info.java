@NullMarked
package dev.gru4j.io;

import org.jspecify.annotations.NullMarked;
