@NullMarked
package dev.gru4j.cuda;

import org.jspecify.annotations.NullMarked;
